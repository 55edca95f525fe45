"""Text tracks: subtitles, captions and chapters as WebVTT (https://www.w3.org/TR/webvtt1/)."""
