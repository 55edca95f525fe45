// Prints every event of a queue as a JSON line: {event, jobId, at, data}; `at` is when it arrived here, in ms.
// node events.mjs <connection, as JSON> <queue> [<prefix>]: prints {"event": "ready"} first, and ends with its standard
// input.
import { fileURLToPath } from 'node:url';
import { Queue, QueueEvents } from 'bullmq';

const NAMES = (
  'active added cleaned completed deduplicated delayed drained duplicated failed paused progress removed ' +
  'resumed retries-exhausted stalled waiting waiting-children'
).split(' ');

export async function listen(name, options, print) {
  const queue = new Queue(name, options);
  const client = await queue.getBackend().client;
  // From here on: by itself QueueEvents begins when its first read arrives, which may be too late.
  const [last] = await client.xrevrange(queue.toKey('events'), '+', '-', 'COUNT', 1);
  const events = new QueueEvents(name, { ...options, lastEventId: last ? last[0] : '0-0' });
  for (const event of NAMES) {
    events.on(event, ({ jobId, ...data } = {}) => print({ event, jobId: jobId ?? null, at: Date.now(), data }));
  }
  await events.waitUntilReady();
  return { queue, events, close: () => Promise.all([events.close(), queue.close()]) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [connection, name, prefix = 'bull'] = process.argv.slice(2);
  const print = (line) => console.log(JSON.stringify(line));
  const listener = await listen(name, { connection: JSON.parse(connection), prefix }, print);
  print({ event: 'ready', jobId: null, at: Date.now(), data: {} });
  process.stdin.resume().on('end', () => listener.close().then(() => process.exit(0)));
}
