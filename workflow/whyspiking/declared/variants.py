"""What a talk's talk.yaml may say about a variant: a network of an experiment, or a control."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from whyspiking.declared import scales
from whyspiking.declared.learning_rules import NETWORK, Trained
from whyspiking.declared.parameters import Change
from whyspiking.declared.scales import Scale
from whyspiking.declared.strict_yaml import (
    Block,
    Listed,
    MayLack,
    Name,
    refuse,
)

Sees = Literal["all", "mask", "ranks"]
"""What a control is told of its input (`controls.seen`)."""


NEEDED = {
    "relu": ("control_epochs", "control_batch", "control_learning_rate"),
    "random": ("random_gain", "random_bias"),
}
"""Kind of a control that the core trains -> the parameters that its training needs."""
NOISE = "control_noise"
"""Parameter that an experiment may have: the noise on every feature of its ReLU networks (sd)."""
DELETION = "control_deletion"
"""Another: the probability with which each of their features is set to 0 in training."""


class Named(Block):
    """A block that its talk names, by its key.

    Attributes:
        from_scale: The smallest scale that has it.
    """

    from_scale: Scale = "default"
    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        """The key."""
        return self._name

    def runs_at(self, scale: str) -> bool:
        """Whether a scale has it."""
        return scales.at_least(scale, self.from_scale)


class Variant(Named):
    """One trained thing of an experiment: the spiking network, a control, an ablation.

    Attributes:
        role (variant_role): What it is for; `rate`: the talk's own network where it has no spikes.
        description: What it is, in words.
        max_seeds: Only so many of the experiment's seeds.
        starts_from: Networks that must be trained before; its training gets them.
        is_ (network): `relu`: a matched control that the core trains, with the `hidden_layers`.
            `random`: the same with a random hidden layer, of which only the readout is fitted.
            "experiment/variant": that network, unchanged.
        hidden (hidden_layers): Units per hidden layer: numbers, or parameters that say them (a
            number or a list); empty makes a linear classifier.
        sees (input): What it is told of the input, where that is not all (`controls.seen`).
        settings (parameter_overrides): Parameters in which its training differs from that of the
            others, and why.
        trained_here: False where others trained it: the networks that authors released.
        recovers (recovers_loss_of): Variant that it was trained further from: the share of what
            that one loses under each condition, and this one wins back, is measured, on all test
            trials.
    """

    role: Literal["spiking", "rate", "control", "negative_control", "ablation"] = Field(
        alias="variant_role"
    )
    description: str = Field(min_length=5)
    max_seeds: MayLack[int] = Field(None, ge=1)
    starts_from: Listed[Trained] = ()
    is_: MayLack[str] = Field(None, alias="network", pattern=f"^({'|'.join(NEEDED)}|{NETWORK})$")
    hidden: MayLack[Listed[Annotated[int, Field(ge=1)] | str]] = Field(None, alias="hidden_layers")
    sees: MayLack[Sees] = Field(None, alias="input")
    settings: dict[Name, Change] = Field(default_factory=dict, alias="parameter_overrides")
    trained_here: bool = True
    recovers: MayLack[str] = Field(None, alias="recovers_loss_of")
    _same: Variant | None = PrivateAttr(None)

    @property
    def as_is(self) -> bool:
        """Whether it is another network, unchanged."""
        return "/" in (self.is_ or "")

    @property
    def parents(self) -> tuple[str, ...]:
        """Networks, "experiment/variant", that must be there before it."""
        return (self.is_,) if self.is_ and self.as_is else self.starts_from

    @property
    def layers(self) -> dict[str, Any] | None:
        """Kind, layers and input of a control that the core trains; None where it does not."""
        if self._same is not None:
            return self._same.layers
        if self.is_ is None:
            return None
        hidden, sees = list(self.hidden or ()), self.sees or "all"
        return {"is": self.is_, "hidden": hidden, "sees": sees}

    @model_validator(mode="after")
    def _check(self) -> Variant:
        loose = self.model_fields_set & {"hidden", "sees"}
        trained = self.is_ in NEEDED
        refuse(
            (
                self.as_is and self.starts_from,
                "starts_from",
                f"is given, but 'network: {self.is_}' keeps the network unchanged; expected one of "
                "the two keys. Remove the other.",
            ),
            (
                loose and not trained,
                {"hidden": "hidden_layers", "sees": "input"}.get(min(loose, default=""), ""),
                "describes a control that the shared code trains; expected 'network: relu' in the "
                "same variant. Add 'network: relu', or remove this key.",
            ),
            (
                trained and (self.hidden is None or "control" not in self.role),
                "",
                "has 'network: relu'; expected the variant_role control or negative_control, and "
                "'hidden_layers' ([] for a linear classifier). Correct it.",
            ),
        )
        return self

    def needs(self) -> list[str]:
        """Parameters that the core must be told to train it."""
        named = [n for n in self.hidden or () if isinstance(n, str)]
        return [*named, *NEEDED.get(self.is_ or "", ())]
