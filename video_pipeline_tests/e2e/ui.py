"""The Dagster UI without its browser: the same requests to the webserver's GraphQL, as its network log shows them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from video_pipeline.definitions import defs
from video_pipeline_tests.processes import wait_for

REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "video_pipeline"}
ENDED = ("SUCCESS", "FAILURE", "CANCELED")
EVERY = 0.5
"""The webserver is a process like the others: asking it without a pause would take a core from them."""
BACKFILL_SECONDS = 600
"""Of a backfill of twenty, on a busy machine."""

ADD_PARTITION = """
mutation AddDynamicPartitionMutation($partitionsDefName: String!, $partitionKey: String!,
                                     $repositorySelector: RepositorySelector!) {
  addDynamicPartition(partitionsDefName: $partitionsDefName, partitionKey: $partitionKey,
                      repositorySelector: $repositorySelector) {
    __typename ... on PythonError { message } } }"""
LAUNCH = """
mutation LaunchPipelineExecution($executionParams: ExecutionParams!) {
  launchPipelineExecution(executionParams: $executionParams) {
    __typename
    ... on LaunchRunSuccess { run { id } }
    ... on InvalidSubsetError { message }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message } } }"""
BACKFILL = """
mutation LaunchPartitionBackfill($backfillParams: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $backfillParams) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
CANCEL_BACKFILL = """
mutation CancelBackfill($backfillId: String!) { cancelPartitionBackfill(backfillId: $backfillId) {
  __typename ... on PythonError { message } } }"""
TERMINATE = """
mutation Terminate($runIds: [String!]!, $terminatePolicy: TerminateRunPolicy) {
  terminateRuns(runIds: $runIds, terminatePolicy: $terminatePolicy) {
    ... on TerminateRunsResult { terminateRunResults {
      __typename ... on TerminateRunFailure { message } ... on PythonError { message } } } } }"""
RUN = """
query Run($id: ID!) { runOrError(runId: $id) { ... on Run {
  id status creationTime startTime endTime tags { key value } assets { key { path } } } } }"""
RUNS = """
query Runs($filter: RunsFilter) { runsOrError(filter: $filter) { ... on Runs { results {
  id status creationTime startTime endTime tags { key value } assets { key { path } } } } } }"""
FAILURES = """
query Failures($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
  __typename
  ... on ExecutionStepFailureEvent { stepKey error { message } failureMetadata { description } }
  ... on RunFailureEvent { message } } } } }"""
BACKFILL_STATUS = """
query Backfill($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status numPartitions error { message } } } }"""
MATERIALIZATION = """
query Partition($key: AssetKeyInput!, $partition: String!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  latestMaterializationByPartition(partitions: [$partition]) { metadataEntries {
    label ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text }
    ... on UrlMetadataEntry { url } } } } } }"""
CHECKS = """
query Checks($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetChecksOrError { ... on AssetChecks { checks {
    name
    partitionStatuses { ... on AssetCheckDefaultPartitionStatuses { succeededPartitions failedPartitions } } } } } } } }
"""


@dataclass(frozen=True)
class Run:
    id: str
    status: str
    tags: dict[str, str]
    created: float
    started: float
    ended: float
    assets: set[str]

    @property
    def video(self) -> str:
        return self.tags["video/id"]


class Ui:
    def __init__(self, web: str) -> None:
        self.web = web

    def ask(self, query: str, **variables: Any) -> Any:
        """The answer's one field."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.web}/graphql", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                found = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None
        assert "errors" not in found, found["errors"]
        ((_, value),) = found["data"].items()
        return value

    # --- what its buttons do

    def add_partition(self, video: str) -> None:
        variables = {"partitionsDefName": "videos", "partitionKey": video, "repositorySelector": REPOSITORY}
        assert self.ask(ADD_PARTITION, **variables)["__typename"] == "AddDynamicPartitionSuccess"

    def try_launch(self, video: str, selection: str = "*", config: dict[str, Any] | None = None) -> dict[str, Any]:
        """Materializes assets of one partition; `config` is that of asset source."""
        assets = selected(selection)
        graph = defs.resolve_asset_graph()
        checks = [key for key in graph.asset_check_keys if {"path": list(key.asset_key.path)} in assets]
        params = {
            "mode": "default",
            "executionMetadata": {
                "tags": [
                    {"key": "dagster/partition", "value": video},
                    {"key": "dagster/from_ui", "value": "true"},
                ]
            },
            "runConfigData": json.dumps({"ops": {"source": {"config": config}}} if config else {}),
            "selector": {
                **REPOSITORY,
                "pipelineName": "__ASSET_JOB",
                "assetSelection": assets,
                "assetCheckSelection": [
                    {"name": key.name, "assetKey": {"path": list(key.asset_key.path)}} for key in checks
                ],
            },
        }
        answer: dict[str, Any] = self.ask(LAUNCH, executionParams=params)
        return answer

    def launch(self, video: str, selection: str = "*", config: dict[str, Any] | None = None) -> str:
        answer = self.try_launch(video, selection, config)
        assert answer["__typename"] == "LaunchRunSuccess", answer
        run_id: str = answer["run"]["id"]
        return run_id

    def backfill(self, videos: Sequence[str], selection: str = "*") -> str:
        params = {
            "tags": [{"key": "dagster/from_ui", "value": "true"}],
            "assetSelection": selected(selection),
            "partitionNames": list(videos),
            "fromFailure": False,
        }
        answer = self.ask(BACKFILL, backfillParams=params)
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        backfill_id: str = answer["backfillId"]
        return backfill_id

    def cancel_backfill(self, backfill_id: str) -> None:
        assert self.ask(CANCEL_BACKFILL, backfillId=backfill_id)["__typename"] == "CancelBackfillSuccess"

    def terminate(self, run_id: str, policy: str = "SAFE_TERMINATE") -> dict[str, Any]:
        answer = self.ask(TERMINATE, runIds=[run_id], terminatePolicy=policy)
        (result,) = answer["terminateRunResults"]
        found: dict[str, Any] = result
        return found

    # --- what its pages show

    def run(self, run_id: str) -> Run:
        return _run(self.ask(RUN, id=run_id))

    def runs(self, **tags: str) -> list[Run]:
        wanted = [{"key": key.replace("_", "/", 1), "value": value} for key, value in tags.items()]
        return [_run(one) for one in self.ask(RUNS, filter={"tags": wanted})["results"]]

    def ended(self, run_id: str, seconds: float = 120) -> Run:
        return wait_for(lambda: run if (run := self.run(run_id)).status in ENDED else None, seconds, EVERY)

    def failures(self, run_id: str) -> list[dict[str, Any]]:
        """The failed steps of a run, as they appear in its log."""
        events = self.ask(FAILURES, id=run_id)["events"]
        return [event for event in events if event["__typename"] == "ExecutionStepFailureEvent"]

    def backfilled(self, backfill_id: str, how: str = "COMPLETED_SUCCESS") -> list[Run]:
        """The runs of a backfill once it has ended, and ended like this."""

        def over() -> dict[str, Any] | None:
            found: dict[str, Any] = self.ask(BACKFILL_STATUS, id=backfill_id)
            return found if found["status"] not in ("REQUESTED", "CANCELING") else None

        done = wait_for(over, BACKFILL_SECONDS, EVERY)
        assert done["status"] == how, done
        return self.runs(dagster_backfill=backfill_id)

    def metadata(self, asset: str, video: str) -> dict[str, Any]:
        """Numbers, texts and links of an asset's newest materialization for a video."""
        node = self.ask(MATERIALIZATION, key={"path": asset.split("/")}, partition=video)
        entries = node["latestMaterializationByPartition"][0]["metadataEntries"]
        kinds = ("intValue", "text", "url")
        return {one["label"]: next((one[kind] for kind in kinds if kind in one), None) for one in entries}

    def verdicts(self, among: Sequence[str]) -> dict[str, tuple[set[str], set[str]]]:
        """Check to those of the videos that pass it and those that do not."""
        checks = self.ask(CHECKS, key={"path": ["quality_report"]})["assetChecksOrError"]["checks"]
        found = {check["name"]: check["partitionStatuses"] for check in checks}
        sides = ("succeededPartitions", "failedPartitions")
        return {name: (set(among) & set(one[sides[0]]), set(among) & set(one[sides[1]])) for name, one in found.items()}


def selected(selection: str) -> list[dict[str, list[str]]]:
    """The UI resolves a selection such as `thumbnails+` itself; it sends keys."""
    graph = defs.resolve_asset_graph()
    name, plus = selection.removesuffix("+"), selection.endswith("+")
    keys = graph.get_all_asset_keys()
    if name != "*":
        keys = {key for key in keys if key.to_user_string() == name}
    while plus and (more := {child for key in keys for child in graph.get(key).child_keys} - keys):
        keys |= more
    return [{"path": list(key.path)} for key in sorted(keys)]


def _run(found: dict[str, Any]) -> Run:
    return Run(
        id=found["id"],
        status=found["status"],
        tags={tag["key"]: tag["value"] for tag in found["tags"]},
        created=found["creationTime"] or 0.0,
        started=found["startTime"] or 0.0,
        ended=found["endTime"] or 0.0,
        assets={"/".join(asset["key"]["path"]) for asset in found["assets"]},
    )
