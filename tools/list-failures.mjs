/** A reporter for Node's test runner: a line for each test that failed. */
export default async function* listFailures(events) {
  for await (const { type, data } of events) {
    if (type === 'test:fail' && data.details?.type !== 'suite') yield `${data.name} (${shortened(data.file)})\n`;
  }
}

const shortened = (file = '') => file.slice(file.lastIndexOf('/test/') + 1);
