/** Keeps what the environment holds out of a text. Pure. */

/** Shorter ones are words that stand everywhere: hidden where they are secrets, and only where they stand alone. */
const SHORTEST = 6;

/** What such a variable holds is a secret: of any length, and no path, though it may begin like one. */
const SECRET_NAME = /pass|secret|token|key|cred|seed|_pwd?$|^pw$/i;

interface Hidden {
  readonly name: string;
  readonly text: string;
}

function isPath(name: string, value: string): boolean {
  return value.startsWith('/') && !SECRET_NAME.test(name);
}

/** Passwords, and users with theirs, in addresses. */
function passwordsIn(value: string): string[] {
  return [...value.matchAll(/:\/\/([^/\s@]*)@/g)].flatMap(([, userInfo = '']) => {
    const password = userInfo.slice(userInfo.indexOf(':') + 1);
    try {
      return [userInfo, password, decodeURIComponent(password)];
    } catch {
      return [userInfo, password];
    }
  });
}

function toHide(name: string, value: string): readonly Hidden[] {
  const isKnown = value.length >= SHORTEST || SECRET_NAME.test(name);
  const texts = isKnown ? [value, ...passwordsIn(value)] : passwordsIn(value);
  return texts.filter((text) => text !== '').map((text) => ({ name, text }));
}

function isPartOfWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character);
}

/** What is short goes where it is no part of a longer word. */
function hide(all: string, { name, text }: Hidden): string {
  if (text.length >= SHORTEST) return all.replaceAll(text, `<${name}>`);
  return all.replaceAll(text, (found, at: number) => {
    const isPart = isPartOfWord(all[at - 1]) || isPartOfWord(all[at + found.length]);
    return isPart ? found : `<${name}>`;
  });
}

/**
 * Puts names of variables in the place of their values, but for paths and for what is short and no secret, and of users and passwords in
 * addresses.
 */
export function hideEnvironment(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const hidden = Object.entries(env)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .filter((entry) => !isPath(...entry))
    .flatMap((entry) => toHide(...entry))
    .sort((a, b) => b.text.length - a.text.length)
    .reduce(hide, text);
  return hidden.replace(/:\/\/[^/\s@]*@/g, '://...@');
}
