"""Every rule by its name, with boxes that hold all standardised inputs: these have no bounds."""

from workbench.explanation.rules import RULES, Box, Composite

WIDE = Box(-50.0, 50.0)
EVERY = {
    **RULES,
    **{
        name: Composite(
            tuple((where, WIDE if isinstance(part, Box) else part) for where, part in rule.parts),
            rule.otherwise,
        )
        for name, rule in RULES.items()
        if "box" in name
    },
}
