// What a web app in TypeScript writes. Each line below @ts-expect-error must be refused by the compiler.
import { Queue, QueueEvents } from 'bullmq';
import type { CancelAnswer, CancelRequest, VideoFailure, VideoJob, VideoProgress, VideoResult } from 'video-pipeline';

const connection = { host: '127.0.0.1', port: 6399 };
const queue = new Queue<VideoJob, VideoResult>('video-intake', { connection });
const control = new Queue<CancelRequest, CancelAnswer>('video-intake-control', { connection });
const events = new QueueEvents('video-intake', { connection });

export async function publish(source: string): Promise<VideoResult> {
  events.on('progress', ({ data }) => {
    const progress = data as VideoProgress;
    const percent: number = progress.percent ?? 0;
    const failure: VideoFailure | undefined = progress.error;
    console.log(progress.stage, percent, failure?.class === 'permanent' ? failure.message : failure?.code);
  });
  const job = await queue.add('video', { source, videoId: 'a', tags: ['b'], metadata: { customer: { id: 7 } } });
  await control.add('cancel', { jobId: job.id! });
  const result = await job.waitUntilFinished(events);
  const seconds: number = result.durations.processingSeconds;
  console.log(result.videoId, result.releaseId, result.hls, seconds);
  return result;
}

// @ts-expect-error the source is missing
export const sourceless: VideoJob = { videoId: 'a' };
// @ts-expect-error this field is unknown
export const unknown: VideoJob = { source: '/a.mp4', watermark: 'x' };
// @ts-expect-error there is no other version
export const version: VideoJob = { source: '/a.mp4', schemaVersion: 2 };
// @ts-expect-error there is no such class
export const failure: VideoFailure = { class: 'odd', code: 'x', message: 'y', attempt: 1 };
