"""Scalable drawings as text: every attribute and every word is escaped on the way in."""

from collections.abc import Iterable

from markupsafe import Markup, escape

Length = float | int  # in the drawing's own units
Value = str | float | int


def element(name: str, *children: str | Markup, **attributes: Value) -> Markup:
    """One element; `_` in an attribute's name reads `-`, and a trailing `_` goes (`class_`)."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), number(value))
        for key, value in attributes.items()
    )
    inside = Markup("").join(escape(child) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, inside)


def number(value: Value) -> str:
    """A coordinate to a hundredth of a unit, without what says nothing."""
    if isinstance(value, str):
        return value
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def text(content: str, x: Length, y: Length, anchor: str = "start", class_: str = "", **more: Value) -> Markup:
    """Words at a point."""
    return element("text", content, x=x, y=y, text_anchor=anchor, **({"class_": class_} if class_ else {}), **more)


def polyline(points: Iterable[tuple[Length, Length]]) -> str:
    """Path data through points."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)


def dots(points: Iterable[tuple[Length, Length]]) -> str:
    """Path data of round dots, when stroked with round caps: a whole cloud in one element."""
    return "".join(f"M{number(x)} {number(y)}h0" for x, y in points)


def cells(corners: Iterable[tuple[Length, Length]], width: Length, height: Length) -> str:
    """Path data of equal rectangles, when filled."""
    w, h = number(width), number(height)
    return "".join(f"M{number(x)} {number(y)}h{w}v{h}h-{w}z" for x, y in corners)


def drawing(
    width: Length, height: Length, title: str, description: str, *children: Markup, class_: str = ""
) -> Markup:
    """The whole drawing, with a name and a description for those who cannot see it."""
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        *children,
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        class_=f"chart {class_}".strip(),
    )
