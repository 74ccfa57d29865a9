"""Adds files of any kind with the official client and reads them back: keep_files.py VERSION"""

import base64
import hashlib
import os
import pathlib
import sys
import tempfile

import redivis

(version,) = sys.argv[1:]
assert redivis.__version__ == version, redivis.__version__
folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ["HOME"]))
contents = {
    "a.txt": "first\nsecond\n".encode(),
    "deep/er/é.bin": os.urandom(3_000_000),
    "empty": b"",
}
for name, content in contents.items():
    path = folder / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)

dataset = redivis.user("local").dataset("files of " + version.replace(".", " "))
dataset.create(public_access_level="none")
table = dataset.table("index").create(is_file_index=True)
table.add_files(directory=str(folder / "in"), progress=False)


def check(table, contents):
    files = {str(file.path): file for file in table.list_files()}
    assert files.keys() == contents.keys(), files
    for name, content in contents.items():
        file = files[name]
        assert (file.size, file.hash) == (len(content), hashlib.md5(content).digest())
        assert file.read() == content
    return files


files = check(table, contents)
file = files["deep/er/é.bin"]
content = contents["deep/er/é.bin"]
assert file.read(start_byte=1000, end_byte=1999) == content[1000:2000]
assert file.read(start_byte=2_999_990) == content[-10:]
with file.open("rb", start_byte=5) as stream:
    assert stream.read(10) == content[5:15]
    stream.seek(2_000_000)
    assert stream.read() == content[2_000_005:]
assert [line.rstrip("\n") for line in files["a.txt"].open()] == ["first", "second"]
assert pathlib.Path(file.download(str(folder / "one") + "/", progress=False)).read_bytes() == content
table.to_directory().download(str(folder / "all"), progress=False)
for name, content in contents.items():
    assert (folder / "all" / name).read_bytes() == content

# One more than 50 MB goes through a resumable session.
large = base64.b64encode(os.urandom(45_000_000))
(folder / "large").write_bytes(large)
contents.update({"a.txt": b"another", "large": large})
table.add_files(
    files=[{"name": "a.txt", "data": "another"}, {"name": "large", "path": str(folder / "large")}],
    progress=False,
)
released = dataset.release().table("index")
check(released, contents)
rows = released.to_arrow_table().sort_by("file_name")
assert rows["file_name"].to_pylist() == sorted(contents), rows
assert rows["size"].to_pylist() == [len(contents[name]) for name in sorted(contents)]
