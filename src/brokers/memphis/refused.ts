/** Messages that were refused because they break their station's schema: the broker is told, and makes a row of each. */

import type { HeaderLines, HeaderList } from '../../connection/port.ts';
import type { OutgoingMessage } from '../../model/broker.ts';
import { encodeJson } from '../jetstream/wire/api.ts';
import type { MemphisBroker } from './broker.ts';
import { publishLines } from './publish-headers.ts';
import { violationNotification, violationReport } from './wire/violation-report.ts';

/** Nobody answers. @throws MemphisError when it is not written */
export async function reportRefused(
  { link, schemas }: MemphisBroker,
  message: OutgoingMessage,
  reason: string,
  timeoutMs: number,
): Promise<void> {
  const { station, partition, producerName: producer, data } = message;
  const { reportsViolations = true, sendsNotifications = false } = schemas.wants?.(station) ?? {};
  if (!reportsViolations) return;
  const connection = await link.ready(Date.now() + timeoutMs);
  const { connectionId } = connection.identity;
  const headers = toHeaderList(publishLines(message, connectionId));
  const violation = { station, partition, producer, connectionId, headers, data, reason };
  connection.publish('$memphis_schemaverse_dls', encodeJson(violationReport(violation)));
  if (sendsNotifications) {
    connection.publish('$memphis_notifications', encodeJson(violationNotification(violation)));
  }
  await connection.flush(timeoutMs);
}

/* Name: value, each at the end of its line */
function toHeaderList(lines: HeaderLines): HeaderList {
  return lines
    .trimEnd()
    .split('\r\n')
    .map((line) => {
      const [name = ''] = line.split(': ', 1);
      return [name, line.slice(name.length + 2)] as const;
    });
}
