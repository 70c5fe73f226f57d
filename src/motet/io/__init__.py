"""Files in, structures out, and back: one module a format; the content of a file decides what it is."""

from .opening import load as load
from .read import read as read
from .sniff import Kind as Kind
from .sniff import sniff as sniff
from .write import write as write
from .writing import atomic_write as atomic_write
from .writing import write_text as write_text
