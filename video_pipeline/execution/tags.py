"""The tags of a run that say what it is about."""

VIDEO_TAG = "video/id"
REQUEST_TAG = "video/request"
JOB_TAG = "video/job"
CLAIM_TAG = "video/claim"
QUEUE_TAG = "video/queue"
"""The life of the queue that asked for it: job ids repeat in another one."""
