"""What a GJSON text says beside its meaning: that it matches everything, or that its author meant something else."""


def always_matches(text: str) -> bool:
    return text == "@this"


def warnings(text: str) -> tuple[str, ...]:
    return ()
