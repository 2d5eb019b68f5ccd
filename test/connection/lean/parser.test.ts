/** The parser of the lean session: recorded conversations in pieces of every size, and what no server may say. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LeanFrame } from '../../../src/connection/lean/frame.ts';
import { Parser } from '../../../src/connection/lean/parser.ts';
import { isMemphisError } from '../../../src/model/errors.ts';
import { type Conversation, conversations, type Operation } from '../../support/conversations.ts';

/** What a parser told, in the form of a conversation. */
function listen(): { readonly told: Operation[]; readonly parser: Parser } {
  const told: Operation[] = [];
  const parser = new Parser({
    onMessage: (sid: number, frame: LeanFrame) => {
      const { subject, reply, status, headers } = frame;
      const rawHeaders = headers.length === 0 && status === 0 ? {} : { headers: headers.length, status };
      told.push({
        op: 'MSG',
        sid: String(sid),
        subject,
        reply,
        ...rawHeaders,
        payload: Buffer.from(frame.data).toString(),
      });
    },
    onLine: (op, text) => void told.push({ op, payload: text }),
  });
  return { told, parser };
}

function parse(...chunks: readonly Buffer[]): Operation[] {
  const { told, parser } = listen();
  for (const chunk of chunks) parser.push(Buffer.from(chunk));
  return told;
}

const expected = ({ operations }: Conversation): Operation[] =>
  operations.map(({ op, subject, sid = '', reply = '', rawHeaders, status = 0, payload = '' }) => {
    if (subject === undefined) return { op, payload };
    const lines = Buffer.from(rawHeaders ?? '', 'base64')
      .toString()
      .split('\r\n')
      .slice(1)
      .filter(Boolean);
    const head = rawHeaders === undefined ? {} : { headers: lines.length, status };
    return { op: 'MSG', sid, subject, reply, ...head, payload };
  });

for (const conversation of conversations) {
  test(`${conversation.name} is understood in one piece, byte by byte, and cut in two at every byte`, () => {
    const { bytes } = conversation;
    const whole = parse(bytes);
    assert.deepEqual(whole, expected(conversation));
    assert.deepEqual(parse(...Array.from(bytes, (byte) => Buffer.of(byte))), whole);
    const start = bytes.subarray(0, 1_500);
    const told = parse(start);
    for (let at = 1; at < start.length; at++) assert.deepEqual(parse(start.subarray(0, at), start.subarray(at)), told);
  });
}

test('conversations in pieces of random sizes say the same', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...conversations),
      fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 30 }),
      (conversation, sizes) => {
        const pieces: Buffer[] = [];
        let at = 0;
        for (let i = 0; at < conversation.bytes.length; i++) {
          const size = (sizes[i % sizes.length] ?? 0) + (i < sizes.length ? 0 : 1);
          pieces.push(conversation.bytes.subarray(at, at + size));
          at += size;
        }
        assert.deepEqual(parse(...pieces), expected(conversation));
      },
    ),
    { numRuns: 100 },
  );
});

test('characters of several bytes survive every cut, in subjects, headers and payloads', () => {
  const headers = 'NATS/1.0\r\nnäme: wört 😀\r\n\r\n';
  const size = Buffer.byteLength(headers);
  const bytes = Buffer.from(`HMSG süß.😀 7 ré.ply ${size} ${size + 7}\r\n${headers}a😀é\r\n`);
  for (let at = 1; at < bytes.length; at++) {
    const frames: LeanFrame[] = [];
    const parser = new Parser({ onMessage: (_, frame) => void frames.push(frame), onLine: () => undefined });
    parser.push(bytes.subarray(0, at));
    parser.push(bytes.subarray(at));
    const [frame] = frames;
    assert.deepEqual(
      [frame?.subject, frame?.reply, frame?.headers, Buffer.from(frame?.data ?? []).toString()],
      ['süß.😀', 'ré.ply', [['näme', 'wört 😀']], 'a😀é'],
    );
  }
});

test('status lines, headers of one name, headers without a value and lines that are none', () => {
  const block = 'NATS/1.0 409 Leadership Change\r\na: 1\r\na: 2\r\nb:\r\nnonsense\r\n\r\n';
  const frames: LeanFrame[] = [];
  const parser = new Parser({ onMessage: (_, frame) => void frames.push(frame), onLine: () => undefined });
  parser.push(Buffer.from(`HMSG a 1 ${block.length} ${block.length}\r\n${block}\r\nMSG a 1 0\r\n\r\n`));
  const [first, second] = frames;
  assert.deepEqual([first?.status, first?.statusText, first?.reply], [409, 'Leadership Change', '']);
  assert.deepEqual(first?.headers, [
    ['a', '1'],
    ['a', '2'],
    ['b', ''],
  ]);
  assert.deepEqual([second?.status, second?.statusText, second?.headers, second?.data.length], [0, '', [], 0]);
});

/** A header block line by line, as text. */
function readHeaders(block: string): readonly (readonly [string, string])[] {
  const lines = block.split('\r\n').slice(1);
  return lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1).trim()] as const] : [];
  });
}

test('any header block is read as it would be line by line, wherever it is cut', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom('a: b', 'a:b', ':x', 'a', 'a:  b  ', '', 'é: ü', 'a:\nb', 'x:\r y'),
  );
  const message = fc.record({
    lines: fc.array(line, { maxLength: 6 }),
    status: fc.constantFrom('', ' 100 Idle Heartbeat', ' 503'),
    data: fc.uint8Array({ maxLength: 20 }),
    cuts: fc.array(fc.nat(400), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(message, ({ lines, status, data, cuts }) => {
      const block = Buffer.from(`NATS/1.0${status}\r\n${lines.join('\r\n')}\r\n\r\n`);
      const head = `HMSG s 7 r.1 ${block.length} ${block.length + data.length}\r\n`;
      const bytes = Buffer.concat([Buffer.from(head), block, data, Buffer.from('\r\nPING\r\n')]);
      const told: unknown[] = [];
      const parser = new Parser({
        onMessage: (sid, { subject, reply, headers, data: payload, status: code }) =>
          void told.push({ sid, subject, reply, headers, payload: [...payload], code }),
        onLine: (operation) => void told.push(operation),
      });
      const ends = [...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
      for (const [index, end] of ends.entries()) {
        const start = ends[index - 1] ?? 0;
        if (end > start) parser.push(bytes.subarray(start, end));
      }
      const headers = readHeaders(block.toString());
      const code = Number(status.slice(1, 4));
      assert.deepEqual(told, [{ sid: 7, subject: 's', reply: 'r.1', headers, payload: [...data], code }, 'PING']);
    }),
    { numRuns: 2_000 },
  );
});

test('blanks between the words of a line may be more than one, with a reply and without', () => {
  const said = (line: string, payload: string): Operation[] => parse(Buffer.from(`${line}\r\n${payload}\r\n`));
  const heard = { op: 'MSG', sid: '7', subject: 's.1', payload: 'abc' };
  assert.deepEqual(said('MSG s.1 7  3', 'abc'), [{ ...heard, reply: '' }]);
  for (const line of ['MSG s.1 7 r.1  3', 'MSG  s.1  7  r.1  3', 'MSG s.1 7 r.1   3']) {
    assert.deepEqual(said(line, 'abc'), [{ ...heard, reply: 'r.1' }], line);
  }
  const block = 'NATS/1.0\r\na:b\r\n\r\n';
  const withHeaders = { ...heard, headers: 1, status: 0 };
  assert.deepEqual(said(`HMSG s.1 7  ${block.length} ${block.length + 3}`, `${block}abc`), [
    { ...withHeaders, reply: '' },
  ]);
  assert.deepEqual(said(`HMSG s.1 7 r.1  ${block.length} ${block.length + 3}`, `${block}abc`), [
    { ...withHeaders, reply: 'r.1' },
  ]);
});

test('a payload that looks like the protocol is payload', () => {
  const inside = "-ERR 'Authorization Violation'\r\nMSG x 1 3\r\nabc\r\nPING\r\n";
  assert.deepEqual(
    parse(Buffer.from(`MSG a 4 ${inside.length}\r\n${inside}\r\nPONG\r\n`)).map(({ payload }) => payload),
    [inside, ''],
  );
});

for (const [what, text] of [
  ['another protocol', 'HTTP/1.1 400 Bad Request\r\n'],
  ['bytes', '\x00\x01\xff\r\n'],
  ['an empty line', '\r\n'],
  ['an operation of clients', 'PUB a 1\r\nx\r\n'],
  ['lower case', 'ping\r\n'],
  ['an operation with a tail', 'PINGS\r\n'],
  ['a message without a size', 'MSG a 1\r\n'],
  ['a message with words too many', 'MSG a 1 b c 1\r\nx\r\n'],
  ['headers without a second size', 'HMSG a 1 12\r\nNATS/1.0\r\n\r\n\r\n'],
  ['a size that is no number', 'MSG a 1 1x\r\nx\r\n'],
  ['a negative size', 'MSG a 1 -1\r\n\r\n'],
  ['a size with a fraction', 'MSG a 1 1.0\r\nx\r\n'],
  ['a size that is none', 'MSG a 1 NaN\r\nx\r\n'],
  ['a size beyond all servers', 'MSG a 1 999999999\r\nx\r\n'],
  ['a size of many digits', `MSG a 1 ${'0'.repeat(40)}1\r\nx\r\n`],
  ['a sid that is no number', 'MSG a one 1\r\nx\r\n'],
  ['a payload longer than announced', 'MSG a 1 1\r\nxyz\r\n'],
  ['a payload shorter than announced', 'MSG a 1 5\r\nx\r\nPING\r\nPING\r\n'],
  ['headers longer than the message', 'HMSG a 1 20 12\r\nNATS/1.0\r\n\r\n\r\n'],
  ['headers of another kind', 'HMSG a 1 12 12\r\nHTTP/1.1\r\n\r\n\r\n'],
  ['a line without an end', `INFO {"a":"${'x'.repeat(70_000)}`],
  ['a message line without an end', `MSG ${'x'.repeat(70_000)}`],
  ['a long line with an end', `INFO {"a":"${'x'.repeat(70_000)}"}\r\n`],
  ['a message line of which only the beginning is right', 'MSGS a 1 1\r\nx\r\n'],
] as const) {
  test(`${what} is PROTOCOL_ERROR, in one piece and byte by byte, and is not shown`, () => {
    const bytes = Buffer.from(text, 'latin1');
    for (const chunks of [[bytes], Array.from(bytes, (byte) => Buffer.of(byte))]) {
      assert.throws(
        () => parse(...chunks),
        (error) => isMemphisError(error, 'PROTOCOL_ERROR') && !error.message.includes(text.slice(0, 8)),
      );
    }
  });
}

test('what is damaged anywhere is understood or refused: nothing else is thrown, and nothing is kept for ever', () => {
  const damage = fc.record({
    at: fc.nat(1_000_000),
    kind: fc.constantFrom('flip', 'drop', 'insert', 'repeat', 'cut'),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...conversations),
      fc.array(damage, { minLength: 1, maxLength: 4 }),
      fc.nat(2_000),
      (conversation, damages, size) => {
        let bytes: Buffer = Buffer.from(conversation.bytes);
        for (const { at, kind, bytes: extra } of damages) {
          const place = at % bytes.length;
          const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
          if (kind === 'flip') bytes[place] = (bytes[place] ?? 0) ^ (extra[0] ?? 1);
          if (kind === 'drop') bytes = Buffer.concat([before, after.subarray(extra.length)]);
          if (kind === 'insert') bytes = Buffer.concat([before, extra, after]);
          if (kind === 'repeat') bytes = Buffer.concat([before, after.subarray(0, extra.length), after]);
          if (kind === 'cut') bytes = Buffer.concat([before, after.subarray(after.indexOf(10) + 1)]);
          if (bytes.length === 0) return;
        }
        const { told, parser } = listen();
        try {
          for (let at = 0; at < bytes.length; at += size + 1) parser.push(bytes.subarray(at, at + size + 1));
        } catch (error) {
          assert.ok(isMemphisError(error, 'PROTOCOL_ERROR'), String(error));
        }
        assert.ok(told.length <= bytes.length / 5);
      },
    ),
    { numRuns: 1_000 },
  );
});
