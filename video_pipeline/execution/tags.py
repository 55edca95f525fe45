"""The tags of a run that say what it is about."""

VIDEO_TAG = "video/id"
REQUEST_TAG = "video/request"
JOB_TAG = "video/job"
CLAIM_TAG = "video/claim"
