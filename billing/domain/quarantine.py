"""Why a document of a run is left out while the others go on."""

from billing.domain.texts import Bi

INPUTS_CHANGED = "inputs_changed"
WRONG_SIGN = "wrong_sign"
REFUSED = "refused_by_database"
HELD = "held"

REASONS = {
    INPUTS_CHANGED: Bi(
        "计费数据与预览时不同，未开部分转入下一批次",
        "Its charges are no longer those that were previewed; what is open goes to a later run",
    ),
    WRONG_SIGN: Bi(
        "蓝字账单合计为负（或红字合计为正），留待下一批次",
        "An invoice below zero, or a credit note above it; it waits for a later run",
    ),
    REFUSED: Bi("数据库约束拒绝了该单据", "A rule of the database refused it"),
    HELD: Bi("财务人工暂扣", "Held back by finance"),
}
FOR_GOOD = frozenset({INPUTS_CHANGED, WRONG_SIGN})
"""Nothing that anybody does makes such a document right; its charges go to a later run."""


def reason(problem: str) -> Bi:
    """The words of a problem; an empty one has none."""
    return REASONS.get(problem, Bi(problem, problem))
