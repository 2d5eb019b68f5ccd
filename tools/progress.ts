/** One line that says how far the run is: rewritten on a terminal, else a new line every second or so. */

const EVERY_MS = 1_000;

export interface Progress {
  /** A new state; called as often as one likes. */
  update(line: string): void;
  /** A sentence that stays. */
  say(line: string): void;
  /** Ends the line that is being rewritten; the newest state is shown by then. */
  end(): void;
}

export function makeProgress(stream: NodeJS.WriteStream): Progress {
  let shown = '';
  let shownAt = 0;
  /** A state that came too soon behind the last one. */
  let waiting = '';
  const isTerminal = stream.isTTY === true;
  const end = (): void => {
    if (waiting !== '') stream.write(`${waiting}\n`);
    if (isTerminal && shown !== '') stream.write('\n');
    shown = '';
    waiting = '';
  };
  return {
    update(line) {
      waiting = '';
      if (line === shown) return;
      if (isTerminal) stream.write(`\r${line.slice(0, stream.columns - 1)}\x1b[K`);
      else if (Date.now() - shownAt >= EVERY_MS) stream.write(`${line}\n`);
      else {
        waiting = line;
        return;
      }
      shown = line;
      shownAt = Date.now();
    },
    say(line) {
      end();
      stream.write(`${line}\n`);
    },
    end,
  };
}
