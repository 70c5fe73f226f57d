"""Taking a report apart."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser


class Page(HTMLParser):
    """Elements of a page, with their attributes and the text directly inside them."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self._open = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "attributes": dict(attrs), "text": ""}
        self.elements.append(element)
        self._open.append(element)

    def handle_endtag(self, tag):
        while self._open and self._open.pop()["tag"] != tag:
            pass

    def handle_data(self, data):
        for element in self._open:
            element["text"] += data

    def all(self, tag, **attributes):
        """Elements of a kind."""
        return [
            one
            for one in self.elements
            if one["tag"] == tag and all(one["attributes"].get(key) == value for key, value in attributes.items())
        ]


def payload(html):
    """What the page's script is given."""
    packed = re.search(r'id="payload">([^<]*)<', html).group(1)
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def visible_text(html):
    """Words of the page, without scripts and styles, white space made single."""
    body = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", html)
    words = "".join(one["text"] for one in Page(body).all("html"))
    return re.sub(r"\s+", " ", words.replace("\u00a0", " "))
