"""What must never be a feature: everything that became known only after the dial, and what looks too good to be known."""

import numpy as np

from training.metrics import auc
from training.refused import Refused
from training.table import Table

# Columns of the outcome record that were known at the dial; a test holds all three sets against docs/OUTCOMES.md.
KNOWN_AT_DIAL = frozenset(
    "score value p_answer index_value rank_by propensity explore segment slot_weekday slot_half_hour local_hour golden zones "
    "language consent tags attempt_no same_slot_fails reachability hours_since_last dial_mode "
    "ring_timeout_ms trunk caller_id campaign scenario purpose policy_version list".split()
)
# Columns of the outcome record that say who or which, and nothing about the customer's mind.
IDENTITIES = frozenset(
    "attempt_id revision event_timestamp created_timestamp source seal customer_key campaign_hash policy_hash list_version "
    "model_id model_version model_alias record_schema_version t_decided t_queued t_authorised experiment_id arm experiment_prob".split()
)
# Known only afterwards: under `t_sent` and later, every duration, every word of how it ended. `duration` is the length of the
# conversation in the UCI bank marketing data, known only when it is over (Moro, Cortez, Rita 2014).
POST_CALL = frozenset(
    "call_result disposition outcome contact_kind converted complaint sip_status q850 release_side media_codec media_received "
    "media_lost media_lost_share media_jitter_ms media_sent media_lost_there media_lost_share_there media_round_trip_ms one_way "
    "t_sent t_ringing t_answered t_connected t_ended t_wrap_ended ring_ms wait_ms talk_ms wrap_ms digits callback_at label_at "
    "label_amount duration call_duration talk_time".split()
)
# Above it, one column alone tells nearly everything: more often a leak than a discovery.
SUSPICIOUS_AUC = 0.80


def refuse_post_call(names: list[str]) -> None:
    """There is no way around it: a column that is known after the call is empty when the next list is scored."""
    late = [name for name in names if name.lower() in POST_CALL]
    if late:
        raise Refused(
            f"known only after the call: {', '.join(late)}. A model that saw them ranks nothing before the dial; take them out "
            "of the file or name them with --drop"
        )


def refuse_too_good(table: Table, allowed: list[str]) -> dict[str, float]:
    """AUC of every feature alone; stops at one above `SUSPICIOUS_AUC` that nobody has allowed by name."""
    unknown = [name for name in allowed if name not in table.names]
    if unknown:
        raise Refused(f"--allow {unknown[0]}: no such feature; there are {', '.join(table.names)}")
    alone = {feature.name: _alone(table, at) for at, feature in enumerate(table.features)}
    loud = {name: value for name, value in alone.items() if value > SUSPICIOUS_AUC and name not in allowed}
    if loud:
        worst = max(loud, key=lambda name: loud[name])
        raise Refused(
            f"`{worst}` alone reaches an AUC of {loud[worst]:.3f} (above {SUSPICIOUS_AUC:.2f}): is it known before the call? "
            + "If it is, say so: " + " ".join(f"--allow {name}" for name in sorted(loud))
        )
    return alone


def _alone(table: Table, at: int) -> float:
    """Numbers by their order, in either direction; categories by their share of successes in the other half.

    Missing is a value of its own: that a cell is empty can leak as well. The halves are every other row: rare categories do
    not look good by chance.
    """
    column, label, weight = table.values[:, at], table.label, table.weight
    known = ~np.isnan(column)
    if table.features[at].categories is None:
        empty = auc(label, (~known).astype(float), weight)
        order = auc(label[known], column[known], weight[known]) if 0 < label[known].sum() < known.sum() else 0.5
        return max(order, 1 - order, empty, 1 - empty)
    codes = np.where(known, column, len(table.features[at].categories or ())).astype(int)
    halves = np.arange(len(label)) % 2
    return float(np.mean([_by_the_other_half(codes, label, weight, halves == half) for half in (0, 1)]))


def _by_the_other_half(codes: np.ndarray, label: np.ndarray, weight: np.ndarray, judged: np.ndarray) -> float:
    known = ~judged
    size = int(codes.max()) + 1
    rows = np.bincount(codes[known], weight[known], size)
    wins = np.bincount(codes[known], (weight * label)[known], size)
    share = (wins + np.average(label[known], weights=weight[known])) / (rows + 1)
    return auc(label[judged], share[codes[judged]], weight[judged])
