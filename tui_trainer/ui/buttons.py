"""Rows of clickable text: each span carries the name of its action in its style's metadata."""

from textual import events
from textual.content import Content
from textual.style import Style
from textual.widget import Widget


def button(text: str, action: str, style: str) -> Content:
    return Content.styled(text, style).stylize(Style.from_meta({"start": action}))


class ButtonRow(Widget):
    ALLOW_SELECT = False

    async def on_click(self, event: events.Click) -> None:
        action = event.style.meta.get("start")
        if action is not None:
            await self.run_action(action)
