/** Deliveries that were on their way when a network was cut: the broker counts them, and no client ever had them. */

/** @param text what the broker had sent (`TestProxy.lost`) @returns by message id, the deliveries of it */
export function lostDeliveries(texts: readonly string[]): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  for (const message of texts.flatMap((text) => text.split(/^(?=H?MSG )/m))) {
    const place = / \$JS\.ACK\.([^. ]+)\.[^. ]+\.(\d+)\.(\d+)\.\d+\.\d+\.\d+ /.exec(message);
    if (place === null) continue;
    const [, stream, delivered, sequence] = place;
    // of a copy: where the message itself is, and how often it was delivered before
    const of = (name: string): string | undefined =>
      new RegExp(`^\\$memphis_retry_${name}: (.*)\r$`, 'm').exec(message)?.[1];
    const id = `${of('stream') ?? stream}:${of('sequence') ?? sequence}`;
    found.set(id, (found.get(id) ?? new Set()).add(Number(of('deliveries') ?? 0) + Number(delivered)));
  }
  return found;
}
