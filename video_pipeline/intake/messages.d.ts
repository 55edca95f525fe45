// Made from the models by `make types`; `video-pipeline schema job --typescript` prints it.

/**
 * Everything that a producer writes or reads.
 */
export type Message = VideoJob | VideoResult | VideoProgress | VideoFailure | CancelRequest | CancelAnswer;

/**
 * The data of a job. Spelled in camelCase, because producers are often web apps; an unknown field is refused.
 */
export interface VideoJob {
  /**
   * The version of this schema.
   */
  schemaVersion?: 1;
  /**
   * The video file: an absolute path or a file:// URL, as the workers see it.
   */
  source: string;
  /**
   * 1 to 63 of a-z, 0-9 and '-', the first no '-'. The same id again is a new release of that video. Without one the video gets a new id, which is written into the job.
   */
  videoId?: string | null;
  /**
   * What to make: a built-in preset or one of your own. Without one the setting DEFAULT_PRESET holds.
   */
  preset?: string | null;
  /**
   * For people and the search.
   */
  title?: string | null;
  /**
   * For people and the search.
   */
  description?: string | null;
  /**
   * For people and the search.
   */
  tags?: string[];
  /**
   * Custom fields: any JSON object, nested at most 64 levels deep.
   */
  metadata?: {
    [k: string]: unknown;
  };
  /**
   * The part of the source to publish, exact to the frame. Without it the whole.
   */
  trim?: Trim | null;
  /**
   * More thumbnails, named at-01.jpg and so on: seconds from the start of what is published, or per cent of it.
   *
   * @maxItems 50
   */
  thumbnailsAt?: (number | string)[];
  /**
   * The moment the poster shows, as in `thumbnailsAt`. Without it a good one is chosen.
   */
  poster?: number | string | null;
  /**
   * A picture to be the poster instead: an absolute path or a file:// URL, as the workers see it. It is kept for later releases too, until "none" removes it or another one takes its place.
   */
  thumbnail?: string | null;
  /**
   * keep: every track, with a stereo mix beside surround; stereo: stereo alone; none: no sound.
   */
  audio?: 'keep' | 'stereo' | 'none';
  /**
   * Subtitle files that come with the video.
   *
   * @maxItems 50
   */
  subtitles?: Sidecar[];
}
/**
 * The part of the source to publish, exact to the frame: those that begin at `start` or later, and before `end`.
 */
export interface Trim {
  /**
   * Seconds from the untrimmed video's start.
   */
  start?: number;
  /**
   * Seconds from the untrimmed video's start, after `start`; without one its end.
   */
  end?: number | null;
}
/**
 * A subtitle file that comes with the video.
 */
export interface Sidecar {
  /**
   * The subtitle file: an absolute path or a file:// URL, as the workers see it.
   */
  source: string;
  /**
   * Its language as BCP 47 has it, such as "en" or "pt-BR".
   */
  language: string;
  /**
   * What players call it; without one the language's own name.
   */
  label?: string | null;
}
/**
 * The return value of a completed job.
 */
export interface VideoResult {
  /**
   * The id of the video, as given or as made up.
   */
  videoId: string;
  /**
   * The release that was published for this job.
   */
  releaseId: string;
  /**
   * Its directory, relative to where published files are served.
   */
  release: string;
  /**
   * The HLS address, likewise; it follows the newest release.
   */
  hls: string;
  /**
   * The DASH address, likewise; it follows the newest release. Not there if it is for HLS alone.
   */
  dash?: string;
  durations: Durations;
}
/**
 * Where a job's time went.
 */
export interface Durations {
  /**
   * From the job's creation to the start of its last attempt.
   */
  queuedSeconds: number;
  /**
   * From there to its end.
   */
  processingSeconds: number;
  /**
   * How long the video is.
   */
  videoSeconds: number;
}
/**
 * The progress of a job, also the data of each progress event.
 */
export interface VideoProgress {
  /**
   * What is being made: the name of an asset. Empty before the first.
   */
  stage: string;
  /**
   * The share of the stage that is done.
   */
  fraction: number;
  /**
   * The share of the whole; it never falls within an attempt.
   */
  percent: number;
  error?: VideoFailure;
}
/**
 * Why a job failed, for programs. BullMQ's failedReason says it for people.
 */
export interface VideoFailure {
  /**
   * permanent: the source or the request is at fault; transient: tried again; dependency: something around us was missing; cancelled: somebody asked for it.
   */
  class: 'permanent' | 'transient' | 'dependency' | 'cancelled';
  /**
   * The kind of error in one word, such as source, request, check or disk-full.
   */
  code: string;
  /**
   * One sentence for people.
   */
  message: string;
  /**
   * The Dagster run that failed; left out if none was started.
   */
  runId?: string;
  /**
   * Which attempt of the job this was.
   */
  attempt: number;
}
/**
 * The data of a job named `cancel` on the control queue: exactly one of both.
 */
export interface CancelRequest {
  /**
   * The job of this id.
   */
  jobId?: string;
  /**
   * Every job about the video of this id.
   */
  videoId?: string;
}
/**
 * The return value of a `cancel` job.
 */
export interface CancelAnswer {
  /**
   * The ids of the jobs that end now.
   *
   * @minItems 1
   */
  cancelled: [string, ...string[]];
}
