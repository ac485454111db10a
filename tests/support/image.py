"""Images of states, read and written by the description in common/base/image.h and not by the product."""
import struct

MASK = 2**64 - 1
WIDTHS = {"bool": 1, "char": 1, "i8": 1, "u8": 1, "i16": 2, "u16": 2, "i32": 4, "u32": 4, "i64": 8, "u64": 8, "size": 8, "f32": 4,
          "f64": 8}
HEAD = struct.Struct("<4sIQI")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def fingerprint(layout):
    value = 0xcbf29ce484222325
    for byte in layout.encode():
        value = (value ^ byte) * 0x100000001b3 & MASK
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9 & MASK
    value = (value ^ value >> 27) * 0x94d049bb133111eb & MASK
    return value ^ value >> 31


def signed(number):
    return number - 2**64 if number >= 2**63 else number


def sealed(layout, members):
    """An image of these bytes."""
    version = int(layout.split(" ")[1])
    body = HEAD.pack(b"fbi1", version, fingerprint(layout), len(members)) + members
    return body + struct.pack("<I", crc32c(body))


def opened(image):
    """(fingerprint, members)"""
    magic, _, found, length = HEAD.unpack_from(image)
    assert magic == b"fbi1" and HEAD.size + length + 4 == len(image)
    return found, image[HEAD.size:-4]


# ---- members of the outermost structure ----

def _closing(text, at, opening, closing):
    depth = 0
    while True:
        depth += (text[at] == opening) - (text[at] == closing)
        at += 1
        if depth == 0:
            return at


def split(layout):
    """"cleaner 1 {a:u8,b:[{c:f64}]}" -> "cleaner 1", [("a", "u8"), ("b", "[{c:f64}]")]"""
    title, _, inner = layout.partition(" {")
    return title, list(_members(inner[:-1]))


def _members(text):
    at = 0
    while at < len(text):
        colon = text.index(":", at)
        end = colon + 1
        while end < len(text) and text[end] != ",":
            end = {"{": lambda: _closing(text, end, "{", "}"), "[": lambda: _closing(text, end, "[", "]")}.get(
                text[end], lambda: end + 1)()
        yield text[at:colon], text[colon + 1:end]
        at = end + 1


def joined(title, members):
    return title + " {" + ",".join(f"{name}:{kind}" for name, kind in members) + "}"


def _end(kind, data, at):
    """Where the value of this kind that begins at AT ends."""
    if kind in WIDTHS:
        return at + WIDTHS[kind]
    if kind[0] == "{":
        for _, inner in _members(kind[1:-1]):
            at = _end(inner, data, at)
        return at
    if kind[0] == "?":
        return _end(kind[1:], data, at + 1) if data[at] else at + 1
    if kind[0] == "[":
        count, inner, at = int.from_bytes(data[at:at + 4], "little"), kind[1:-1], at + 4
    else:
        number, _, inner = kind.partition("*")
        count = int(number)
    if inner in WIDTHS:
        return at + count * WIDTHS[inner]
    for _ in range(count):
        at = _end(inner, data, at)
    return at


def pieces(layout, members):
    """The bytes of each member: name -> bytes."""
    at, found = 0, {}
    for name, kind in split(layout)[1]:
        end = _end(kind, members, at)
        found[name] = members[at:end]
        at = end
    assert at == len(members)
    return found
