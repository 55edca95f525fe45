// A web app with nothing but BullMQ. Each line of standard input, {code, args}, is run as the body of an async function
// with args `a`; its value is printed as {value}, what it throws as {error}. Events are printed as they come.
// node app.mjs <connection as JSON> <queue>
import { createInterface } from 'node:readline';
import * as bullmq from 'bullmq';
import { listen } from './events.mjs';

const [place, name] = process.argv.slice(2);
const connection = JSON.parse(place);
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const { queue, events, close } = await listen(name, { connection }, print);
const control = new bullmq.Queue(`${name}-control`, { connection });
const controlEvents = new bullmq.QueueEvents(`${name}-control`, { connection });
const flows = new bullmq.FlowProducer({ connection });
const known = { bullmq, connection, queue, events, control, controlEvents, flows, open: [] };
await controlEvents.waitUntilReady();
print({ event: 'ready', jobId: null, at: Date.now(), data: {} });

const AsyncFunction = (async () => {}).constructor;
for await (const line of createInterface({ input: process.stdin })) {
  const { code, args } = JSON.parse(line);
  try {
    print({ value: (await new AsyncFunction(...Object.keys(known), 'a', code)(...Object.values(known), args)) ?? null });
  } catch (error) {
    print({ error: error.message });
  }
}
// A Redis that is gone with whoever started this lets nothing be closed.
setTimeout(() => process.exit(1), 20_000).unref();
await Promise.all([...known.open, controlEvents, control, flows].map((one) => one.close()));
await close();
process.exit(0);
