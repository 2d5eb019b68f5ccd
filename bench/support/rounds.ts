/** Rounds in which every subject has its turn, so that what the machine does meanwhile hits all of them alike. */

export interface RoundsOptions<Subject, Sample> {
  readonly subjects: readonly Subject[];
  /** Rounds that count; one more goes before them, to warm up disks and caches, and is not recorded. */
  readonly rounds: number;
  readonly measure: (subject: Subject, round: number) => Promise<Sample>;
  /** Told before each round: how many are done, of how many. */
  readonly onRound?: (done: number, all: number) => void | Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** Measures in rounds; each round begins with another subject. @returns the samples of each subject, in order */
export async function inRounds<Subject, Sample>(
  options: RoundsOptions<Subject, Sample>,
): Promise<Map<Subject, Sample[]>> {
  const { subjects, rounds, measure, onRound, signal } = options;
  const samples = new Map<Subject, Sample[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round <= rounds; round++) {
    await onRound?.(round, rounds + 1);
    const first = round % subjects.length;
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      signal?.throwIfAborted();
      const sample = await measure(subject, round);
      if (round > 0) samples.get(subject)?.push(sample);
    }
  }
  return samples;
}
