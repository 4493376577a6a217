"""apply.py DOCUMENT SOURCE OVERLAY FILE...: carries out what a document describes. A block "diff NAME" changes a file of
the source tree: its lines marked " " and "-" are found there, once, and replaced by those marked " " and "+"; "@@" parts
two such places, and a block of "+" alone goes to the end of the file. A block "cpp NAME" is a new file. The results lie
under OVERLAY; the files must be those that are expected."""
import pathlib
import re
import sys


def change(name, text, hunk):
    """The text after one hunk."""
    old = "".join(line[1:] + "\n" for line in hunk if line[:1] in (" ", "-"))
    new = "".join(line[1:] + "\n" for line in hunk if line[:1] in (" ", "+"))
    if not old:
        return text + new
    if text.count("\n" + old) != 1:
        sys.exit(f"{name}: these lines of the document must stand in the file once:\n{old}")
    return text.replace("\n" + old, "\n" + new)


def results(document, source):
    """The files that the document makes, by name."""
    files = {}
    for kind, name, body in re.findall(r"^```(diff|cpp) (\S+)\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL):
        if kind == "cpp":
            if (source / name).exists():
                sys.exit(f"{name}: new in the document, but there already")
            files[name] = body
            continue
        text = files.get(name) or (source / name).read_text()
        for hunk in re.split(r"^@@\n", body, flags=re.MULTILINE):
            text = change(name, text, hunk.splitlines())
        files[name] = text
    return files


def main():
    document, source, overlay = map(pathlib.Path, sys.argv[1:4])
    files = results(document, source)
    if sorted(files) != sorted(sys.argv[4:]):
        sys.exit(f"the document makes {sorted(files)}, expected are {sorted(sys.argv[4:])}")
    for name, text in files.items():
        path = overlay / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:  # what stays the same is not compiled again
            path.write_text(text)


main()
