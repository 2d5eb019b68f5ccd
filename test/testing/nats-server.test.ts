/** Finding and installing nats-server, with programs that are shell scripts: no network, nothing installed. */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isMemphisError } from '../../src/model/errors.ts';
import { ensureNatsServer, findNatsServers, natsServerVersion } from '../../src/testing/nats-server.ts';

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'memphis-serverless-test-'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function program(folder: string, name: string, body: string): string {
  mkdirSync(join(top, folder), { recursive: true });
  const path = join(top, folder, name);
  writeFileSync(path, `#!/bin/sh\nPATH=/usr/bin:/bin\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}
const server = (folder: string, version: string) => program(folder, 'nats-server', `echo "nats-server: v${version}"`);
const env = (more: Record<string, string> = {}) => ({
  HOME: top,
  PATH: join(top, 'bin'),
  XDG_CACHE_HOME: join(top, 'cache'),
  ...more,
});
const cached = (version: string) => join('cache', 'memphis-serverless', 'nats-server', version);

/** An apt-get that writes down how it was called; `download` works when `when` says so. */
function fakeApt(when: string): void {
  const brings = `echo "nats-server: v2.9.10" > /dev/null; : > nats-server_2.9.10_amd64.deb`;
  program(
    'bin',
    'apt-get',
    `echo "$@" >> ${top}/calls\ncase "$*" in *download*) if ${when}; then ${brings}; else echo "E: Unable to locate package" >&2; exit 100; fi;; esac`,
  );
  const inside = 'mkdir -p "$3/usr/sbin" && cp "$0-payload" "$3/usr/sbin/nats-server"';
  program('bin', 'dpkg', inside);
  program('bin', 'dpkg-payload', 'echo "nats-server: v2.9.10"');
}

describe('findNatsServers', () => {
  test('lists the programs that NATS_SERVER_BIN names, and no others', () => {
    const [a, b] = [server('a', '2.9.10'), server('b', '2.15.2')];
    server('bin', '2.11.0');
    assert.deepEqual(findNatsServers(env({ NATS_SERVER_BIN: [b, join(top, 'gone'), a].join(delimiter) })), [b, a]);
  });

  test('goes on with PATH and the cache, newest version first, when NATS_SERVER_BIN names no program', () => {
    const onPath = server('bin', '2.11.0');
    const old = server(cached('2.9.10'), '2.9.10');
    const recent = server(cached('2.15.2'), '2.15.2');
    assert.deepEqual(findNatsServers(env({ NATS_SERVER_BIN: '/nowhere' })), [onPath, recent, old]);
  });

  test('looks into sbin beside each bin of PATH', () => {
    const path = server('sbin', '2.9.10');
    assert.deepEqual(findNatsServers(env()), [path]);
  });

  test('names a program once, however many links lead to it', () => {
    const path = server('bin', '2.9.10');
    mkdirSync(join(top, 'other'));
    symlinkSync(path, join(top, 'other', 'nats-server'));
    assert.deepEqual(findNatsServers(env({ PATH: [join(top, 'bin'), join(top, 'other')].join(delimiter) })), [path]);
  });

  test('passes over folders and files that are not executable', () => {
    mkdirSync(join(top, 'bin', 'nats-server'), { recursive: true });
    mkdirSync(join(top, 'b'));
    writeFileSync(join(top, 'b', 'nats-server'), '');
    assert.deepEqual(findNatsServers(env({ PATH: [join(top, 'bin'), join(top, 'b')].join(delimiter) })), []);
  });
});

describe('natsServerVersion', () => {
  test('reads the version of a program that runs, and nothing from another', () => {
    assert.equal(natsServerVersion(server('a', '2.12.0-beta.1')), '2.12.0-beta.1');
    assert.equal(natsServerVersion(program('a', 'other', 'echo hello')), undefined);
    assert.equal(natsServerVersion(join(top, 'gone')), undefined);
  });
});

describe('ensureNatsServer', () => {
  test('takes the first program that runs and tells of one that does not', async () => {
    const broken = program('a', 'nats-server', 'exit 1');
    const good = server('b', '2.9.10');
    const lines: string[] = [];
    const named = env({ NATS_SERVER_BIN: [broken, good].join(delimiter) });
    assert.equal(await ensureNatsServer({ env: named, log: (line) => lines.push(line) }), good);
    assert.deepEqual(lines, [`${broken} does not run as a nats-server; looking elsewhere.`]);
  });

  test("unpacks Debian's package into the cache folder", async () => {
    fakeApt('true');
    const path = await ensureNatsServer({ env: env() });
    assert.equal(path, join(top, cached('2.9.10'), 'nats-server'));
    assert.equal(natsServerVersion(path), '2.9.10');
    assert.deepEqual(findNatsServers(env()), [path]);
  });

  test('fetches package lists of its own when the system has none', async () => {
    fakeApt(`grep -q 'Dir::State::lists=.* update' ${top}/calls`);
    const path = await ensureNatsServer({ env: env() });
    assert.equal(natsServerVersion(path), '2.9.10');
  });

  test('asks Homebrew where there is no apt-get', async () => {
    const payload = server('elsewhere', '2.11.3');
    program('bin', 'brew', `[ "$1" != install ] || cp ${payload} ${top}/bin/nats-server`);
    assert.equal(await ensureNatsServer({ env: env() }), join(top, 'bin', 'nats-server'));
  });

  test('says what to do when nothing helps', async () => {
    const lines: string[] = [];
    const hopeless = ensureNatsServer({ env: env({ NATS_SERVER_BIN: '/nowhere' }), log: (line) => lines.push(line) });
    await assert.rejects(hopeless, (error: unknown) => {
      assert.ok(isMemphisError(error, 'PROGRAM_FAILED'));
      assert.match(error.message, /there is no apt-get.*there is no brew.*apt install nats-server.*NATS_SERVER_BIN/);
      return true;
    });
    assert.deepEqual(lines, ['NATS_SERVER_BIN names no program (/nowhere); looking elsewhere.']);
  });

  test('gives the words of apt-get when it fails', async () => {
    fakeApt('false');
    await assert.rejects(ensureNatsServer({ env: env() }), /Debian's package: E: Unable to locate package/);
  });

  test('refuses an option it does not know', async () => {
    await assert.rejects(ensureNatsServer({ logg: () => {} } as object), /no option logg.*Did you mean log\?/);
  });
});
