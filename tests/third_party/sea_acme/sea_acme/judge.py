"""A judge of content."""

from sea_core import Verdict


class AcmeJudge:
    """An answer names the content if it contains the content's last word."""

    name = "acme-1"
    prompt_sha = ""
    measures = "content"

    def judge(self, answers):
        for answer in answers:
            is_named = answer.content.split()[-1] in answer.answer
            yield Verdict(answer.key, "named" if is_named else "missed")
