// bull-board for some queues, as an operator starts it. node board.mjs <connection as JSON> <queue>...: prints its
// address.
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { Queue } from 'bullmq';
import express from 'express';

const [place, ...names] = process.argv.slice(2);
const queues = names.map((name) => new Queue(name, { connection: JSON.parse(place) }));
const serverAdapter = new ExpressAdapter();
createBullBoard({ queues: queues.map((queue) => new BullMQAdapter(queue)), serverAdapter });
const server = express()
  .use(serverAdapter.getRouter())
  .listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().on('end', () => process.exit(0));
