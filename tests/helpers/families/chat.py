"""Chat templates: the turns and the placeholders of a family."""

from __future__ import annotations

from collections.abc import Mapping


def chat_template(turn: str, end: str, answer: str, media: Mapping[str, str]) -> str:
    r"""Return a template.

    Args:
        turn: what begins a turn; `ROLE` in it becomes the role. end: what ends it. answer: what asks for an answer.
        media: what stands for a medium of each modality.
    """
    head = "{{ '" + turn.replace("\n", "\\n").replace("ROLE", "' + m['role'] + '") + "' }}"
    cases = "".join(
        f"{{% {'el' * (i > 0)}if c['type'] == '{modality}' %}}{placeholder}"
        for i, (modality, placeholder) in enumerate(media.items())
    )
    content = cases + "{% else %}{{ c['text'] }}{% endif %}"
    return (
        f"{{% for m in messages %}}{head}{{% for c in m['content'] %}}{content}{{% endfor %}}{end}{{% endfor %}}"
        f"{{% if add_generation_prompt %}}{answer}{{% endif %}}"
    )
