/** Keeps what the environment holds out of a text. Pure. */

/** Shorter ones are words that stand everywhere. */
const SHORTEST = 6;

/** What such a variable holds is no path, though it may begin like one. */
const SECRET_NAME = /pass|secret|token|key|cred|seed/i;

function isPath(name: string, value: string): boolean {
  return value.startsWith('/') && !SECRET_NAME.test(name);
}

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

/** Puts names of variables in the place of their values, but for paths, and of users and passwords in addresses. */
export function hideEnvironment(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const secrets = Object.entries(env)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .filter((entry) => !isPath(...entry))
    .flatMap(([name, value]) => [value, ...passwordsIn(value)].map((secret) => ({ name, secret })))
    .filter(({ secret }) => secret.length >= SHORTEST)
    .sort((a, b) => b.secret.length - a.secret.length);
  const hidden = secrets.reduce((all, { name, secret }) => all.replaceAll(secret, `<${name}>`), text);
  return hidden.replace(/:\/\/[^/\s@]*@/g, '://...@');
}
