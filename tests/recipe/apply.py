"""apply.py [--counted] DOCUMENT SOURCE OVERLAY FILE...: carries out what a document describes. A block "diff NAME" changes
a file of the source tree: its lines marked " " and "-" are found there, once, and replaced by those marked " " and "+";
"@@" parts two such places, and a block of "+" alone goes to the end of the file. A block of another language and a name
("cpp NAME") is a new file. The results lie under OVERLAY; the files must be those that are expected. Where a
CMakeLists.txt changes, it names the new sources below it. --counted: the document says how many files and lines these
are ("N new files with L lines, and M lines in K files"), and they are."""
import pathlib
import re
import sys

BLOCK = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COUNT = re.compile(r"(\d+) new files with (\d+) lines, and (\d+) lines in (\d+) files")


def change(name, text, hunk):
    """The text after one hunk."""
    old = "".join(line[1:] + "\n" for line in hunk if line[:1] in (" ", "-"))
    new = "".join(line[1:] + "\n" for line in hunk if line[:1] in (" ", "+"))
    if not old:
        return text + new
    if text.count("\n" + old) != 1:
        sys.exit(f"{name}: these lines of the document must stand in the file once:\n{old}")
    return text.replace("\n" + old, "\n" + new)


def results(blocks, source):
    """The files that the blocks make, by name."""
    files = {}
    for kind, name, body in blocks:
        if kind != "diff":
            if name in files or (source / name).exists():
                sys.exit(f"{name}: new in the document, but there already")
            files[name] = body
            continue
        text = files.get(name) or (source / name).read_text()
        for hunk in re.split(r"^@@\n", body, flags=re.MULTILINE):
            text = change(name, text, hunk.splitlines())
        files[name] = text
    return files


def check_lists(blocks, files):
    """Every new source stands in the CMakeLists.txt that the document changes above it."""
    for kind, name, _ in blocks:
        path = pathlib.PurePath(name)
        if kind == "diff" or path.suffix not in (".cpp", ".cu"):
            continue
        for folder in path.parents:
            text = files.get(str(folder / "CMakeLists.txt"))
            if text and path.relative_to(folder).as_posix() not in re.split(r"[\s()]+", text):
                sys.exit(f"{folder}/CMakeLists.txt does not name {name}")


def check_count(document, blocks):
    new = [body for kind, _, body in blocks if kind != "diff"]
    added = sum(line.startswith("+") for kind, _, body in blocks if kind == "diff" for line in body.splitlines())
    true = (len(new), sum(body.count("\n") for body in new), added, len({name for kind, name, _ in blocks if kind == "diff"}))
    said = [tuple(map(int, numbers)) for numbers in COUNT.findall(" ".join(document.split()))]
    if said != [true]:
        sys.exit("the document must say once: {} new files with {} lines, and {} lines in {} files".format(*true))


def main():
    arguments = sys.argv[1:]
    counted = arguments[0] == "--counted"
    document, source, overlay = map(pathlib.Path, arguments[counted:counted + 3])
    expected = sorted(arguments[counted + 3:])
    text = document.read_text()
    blocks = BLOCK.findall(text)
    files = results(blocks, source)
    if sorted(files) != expected:
        sys.exit(f"the document makes {sorted(files)}, expected are {expected}")
    check_lists(blocks, files)
    if counted:
        check_count(text, blocks)
    for name, text in files.items():
        path = overlay / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:  # what stays the same is not compiled again
            path.write_text(text)


main()
