"""Hands models from asset to asset as JSON in the object store, so that any worker can go on where another stopped."""

import dagster as dg
from pydantic import BaseModel, ValidationError

from video_pipeline.assets.values import AcceptedSource
from video_pipeline.errors import ObjectMissing, PermanentError
from video_pipeline.resources import StoreResource
from video_pipeline.stores.checkpoints import blobs_in


class ModelIOManager(dg.ConfigurableIOManager):
    """Stores a pydantic model under `artifacts/<asset>/<partition>.json`."""

    store: dg.ResourceDependency[StoreResource]

    def handle_output(self, context: dg.OutputContext, obj: BaseModel) -> None:
        self.store.objects.put_bytes(_key(context), obj.model_dump_json(indent=1).encode())

    def load_input(self, context: dg.InputContext) -> BaseModel:
        model = context.dagster_type.typing_type
        key = _key(context)
        if self.store.objects.stat(key) is None:
            raise PermanentError(
                f"{'/'.join(context.asset_key.path)} of {context.partition_key} was not made yet; "
                "launch the whole graph of this video first"
            )
        try:
            loaded: BaseModel = model.model_validate_json(self.store.objects.get_bytes(key))
        except ValidationError:
            raise PermanentError(
                f"{'/'.join(context.asset_key.path)} of {context.partition_key} was written by another version; "
                "launch the whole graph of this video, which makes it again"
            ) from None
        # A source that is gone is taken in again by whoever needs it.
        if not isinstance(loaded, AcceptedSource) and self.store.checkpoints.renew(blobs_in(loaded)):
            raise ObjectMissing(
                f"{'/'.join(context.asset_key.path)} of {context.partition_key}: its files are no longer kept "
                "(VIDEO_PIPELINE_CHECKPOINT_GB); launch the whole graph of this video, which makes them again"
            )
        return loaded


def _key(context: dg.OutputContext | dg.InputContext) -> str:
    return f"artifacts/{'/'.join(context.asset_key.path)}/{context.partition_key}.json"
