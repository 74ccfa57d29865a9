"""Datasets of users and organizations, their tables and versions."""

import time

import redivis
from redivis import exceptions

from comparing import equal, raises

QUIET = {"progress": False}


def me():
    return redivis.user(redivis.current_user().name)


def rows(table):
    return sorted(table.to_arrow_table(**QUIET)["n"].to_pylist())


def upload(table, name, *numbers):
    table.upload(name).create("\n".join(["n", *map(str, numbers)]).encode(), **QUIET)


def of_a_user(step, folder):
    """A dataset is created, found under all its names, changed, listed, deleted."""
    dataset = me().dataset("Births, 1990 – 2000")
    with step("create"):
        assert not dataset.exists()
        before = time.time() * 1000
        dataset.create(public_access_level="overview", description="Every birth")
        properties = dataset.properties
        equal(properties["name"], "Births, 1990 – 2000")
        equal(properties["publicAccessLevel"], "overview")
        equal(properties["description"], "Every birth")
        equal(properties["owner"]["name"], me().name)
        equal(properties["owner"]["kind"], "user")
        assert before - 1000 <= properties["createdAt"] <= time.time() * 1000 + 1000, properties
        equal((properties["tableCount"], properties["numBytes"]), (0, 0))
        assert dataset.exists()

    with step("its name is taken"):
        with raises(exceptions.APIError, "409", "exists already"):
            me().dataset("births__1990 2000").create()

    with step("find it under every name"):
        reference = properties["qualifiedReference"]
        user, slug, *_ = reference.replace(":", ".").split(".")
        for name in [reference, f"{user}.{slug}", f"{user}.Births 1990 2000", f"{user}.BIRTHS_1990_2000:next"]:
            equal(redivis.dataset(name).get().properties["id"], properties["id"])
        # The client looks which kind of owner it has.
        found = redivis.dataset(f"{user}.{slug}").get()
        assert found.user and not found.organization
        for name in [f"{user}.birth", f"nobody.{slug}", f"{user}.{slug}:v1_0", f"{user}.{slug}:zzzz"]:
            assert not redivis.dataset(name).exists(), name
            with raises(exceptions.NotFoundError):
                redivis.dataset(name).get()

    with step("change what is said about it"):
        dataset.update(name="Births", public_access_level="none", description="")
        equal((dataset.name, dataset.properties["publicAccessLevel"]), ("Births", "none"))
        assert not me().dataset("Births, 1990 – 2000").exists()
        dataset.update(labels=["Health", "people"])
        equal(dataset.properties["labels"], ["Health", "people"])
        if redivis.__version__ != "0.20.10":
            dataset.update(labels_to_add=["time"], labels_to_remove=["people"], tags=["a", "b"])
            equal((dataset.properties["labels"], dataset.properties["tags"]), (["Health", "time"], ["a", "b"]))
            dataset.update(tags_to_add=["c"], tags_to_remove=["a"])
            equal(dataset.properties["tags"], ["b", "c"])
            dataset.update(methodology_markdown="# How", usage_markdown="*Use* it")
            equal(dataset.get().properties["methodologyMarkdown"], "# How")
            equal(dataset.properties["usageMarkdown"], "*Use* it")
        with raises(exceptions.APIError, "400", "publicAccessLevel"):
            dataset.update(public_access_level="everything")
        with raises(exceptions.APIError, "400", "256"):
            dataset.update(description="x" * 257)

    with step("list it"):
        other = me().dataset("Births of twins").create()
        names = {dataset.name for dataset in me().list_datasets()}
        assert {"Births", "Births of twins"} <= names, names
        equal(len(me().list_datasets(max_results=2)), 2)
        with raises(exceptions.NotFoundError):
            redivis.user("nobody at all").list_datasets()

    with step("delete"):
        other.delete()
        dataset.delete()
        assert not dataset.exists() and not other.exists()
        with raises(exceptions.NotFoundError):
            dataset.delete()
        with raises(exceptions.NotFoundError):
            dataset.table("x").create()


def of_an_organization(step, folder):
    """Organizations are there from their first dataset on."""
    organization = redivis.organization("The_Lab")
    with step("create"):
        assert not organization.exists()
        dataset = organization.dataset("Mice").create(public_access_level="data")
        equal(dataset.properties["owner"]["kind"], "organization")
        equal(dataset.properties["owner"]["name"], "The_Lab")
        assert organization.exists()

    with step("an owner whose kind is not said is looked for"):
        found = redivis.dataset("the_lab.mice").get()
        assert found.organization and not found.user
        more = redivis.dataset("The_Lab.Rats").create()
        equal(more.properties["owner"]["kind"], "organization")
        own = redivis.dataset(f"{me().name}.Hamsters").create()
        equal(own.properties["owner"]["kind"], "user")

    with step("list"):
        more.update(labels=["rodent", "big"])
        dataset.update(labels=["rodent"])
        equal({dataset.name for dataset in organization.list_datasets()}, {"Mice", "Rats"})
        equal([dataset.name for dataset in organization.list_datasets(labels=["rodent", "big"])], ["Rats"])
        equal(organization.list_workflows(), [])

    with step("its tables live as others do"):
        table = dataset.table("Runs").create()
        upload(table, "one.csv", 1, 2)
        dataset.release()
        equal(rows(redivis.table("the_lab.mice.runs")), [1, 2])

    with step("delete"):
        for dataset in [dataset, more, own]:
            dataset.delete()


def tables(step, folder):
    """Tables of a draft."""
    dataset = me().dataset("Of many tables").create()
    with step("create"):
        table = dataset.table("First – of them").create(description="The first", upload_merge_strategy="replace")
        properties = table.properties
        equal(properties["description"], "The first")
        equal(properties["uploadMergeStrategy"], "replace")
        equal((properties["numRows"], properties["numBytes"], properties["variableCount"]), (0, 0, 0))
        equal((properties["isFileIndex"], properties["isSample"]), (False, False))
        equal(properties["container"]["kind"], "dataset")
        assert table.exists() and not dataset.table("Second").exists()
        with raises(exceptions.APIError, "409", "exists already"):
            dataset.table("FIRST OF THEM").create()

    with step("find it under every name"):
        reference = properties["qualifiedReference"]
        plain = f"{dataset.user.name}.of_many_tables:next.first_of_them"
        for name in [reference, plain, plain.replace(":next", ""), plain.replace("_", " ").title()]:
            equal(redivis.table(name).get().properties["id"], properties["id"])
        assert not redivis.table(plain.replace(":next", ":current")).exists()

    with step("read it while it is empty"):
        equal(table.to_arrow_table(**QUIET).num_rows, 0)
        equal(table.list_variables(), [])

    with step("change"):
        table.update(name="Renamed", description="Changed", upload_merge_strategy="append")
        equal((table.name, table.properties["description"]), ("Renamed", "Changed"))
        equal(table.properties["uploadMergeStrategy"], "append")
        assert dataset.table("renamed").exists() and not dataset.table("First of them").exists()
        with raises(exceptions.APIError, "400", "uploadMergeStrategy"):
            table.update(upload_merge_strategy="shuffle")

    with step("list"):
        for number in range(4):
            dataset.table(f"t{number}").create()
        equal({table.name for table in dataset.list_tables()}, {"Renamed", "t0", "t1", "t2", "t3"})
        equal(len(dataset.list_tables(max_results=3)), 3)
        equal(dataset.get().properties["tableCount"], 5)

    with step("delete"):
        table.delete()
        assert not table.exists()
        equal(len(dataset.list_tables()), 4)
        again = dataset.table("Renamed").create()
        # A table that was deleted is not the one that has its name later.
        assert again.properties["referenceId"] != properties["referenceId"]
        assert not redivis.table(reference).exists()
        dataset.delete()


def versions(step, folder):
    """Release after release, taken back, deleted and brought back."""
    dataset = me().dataset("Of many versions").create(public_access_level="data")
    with step("a draft is no version yet that others see"):
        equal([version.tag for version in dataset.list_versions()], ["next"])
        assert not redivis.dataset(f"{dataset.user.name}.of_many_versions:current").exists()
        table = dataset.table("t").create()
        upload(table, "one.csv", 1)

    with step("release"):
        dataset.release(release_notes="The first")
        equal(dataset.properties["version"]["tag"], "v1.0")
        version = dataset.version("current").get().properties
        equal((version["tag"], version["isReleased"], version["releaseNotes"]), ("v1.0", True, "The first"))
        assert version["releasedAt"] >= version["createdAt"]
        equal((version["previousVersion"], version["nextVersion"]), (None, None))
        with raises(exceptions.APIError):
            dataset.release()

    with step("open the next version"):
        draft = dataset.create_next_version()
        equal(draft.properties["version"]["tag"], "next")
        equal(draft.properties["previousVersion"]["tag"], "v1.0")
        equal(dataset.get().properties["nextVersion"]["tag"], "next")
        with raises(exceptions.ValueError, "already exists"):
            dataset.create_next_version()
        equal(dataset.create_next_version(if_not_exists=True).uri, draft.uri)
        equal(rows(draft.table("t")), [1])

    with step("append in it, and the release is as it was"):
        upload(draft.table("t"), "two.csv", 2, 3)
        equal(rows(draft.table("t")), [1, 2, 3])
        equal(rows(dataset.table("t")), [1])
        equal([upload.name for upload in draft.table("t").list_uploads()], ["two.csv"])

    with step("say what is new, and release"):
        version = draft.version("next").update(label="Second edition", release_notes="More")
        equal((version.properties["label"], version.properties["releaseNotes"]), ("Second edition", "More"))
        draft.release()
        equal(draft.properties["version"]["tag"], "v1.1")
        equal(draft.version("current").get().properties["releaseNotes"], "More")
        equal(rows(me().dataset("Of many versions").table("t")), [1, 2, 3])
        equal(rows(me().dataset("Of many versions", version="v1.0").table("t")), [1])
        equal(rows(me().dataset("Of many versions", version="1.1").table("t")), [1, 2, 3])

    with step("replace in the next"):
        draft = draft.create_next_version()
        draft.table("t").update(upload_merge_strategy="replace")
        upload(draft.table("t"), "all.csv", 7)
        equal(rows(draft.table("t")), [7])
        draft.release()
        equal(rows(redivis.table(f"{dataset.user.name}.of_many_versions.t")), [7])

    with step("list"):
        newest = draft.properties["version"]["tag"]
        tags = [version.tag for version in dataset.list_versions()]
        equal(tags, [newest, "v1.1", "v1.0"])
        equal(len(dataset.list_versions(max_results=2)), 2)
        middle = dataset.version("v1.1")
        equal((middle.previous_version().tag, middle.next_version().tag), ("v1.0", newest))
        assert middle.exists() and not dataset.version("v9.9").exists() and not dataset.version("next").exists()

    with step("take the latest release back"):
        draft.unrelease()
        equal(draft.properties["version"]["tag"], "next")
        equal(rows(draft.table("t")), [7])
        equal(rows(redivis.table(f"{dataset.user.name}.of_many_versions.t")), [1, 2, 3])
        draft.table("t").upload("all.csv").delete()
        upload(draft.table("t"), "all.csv", 8)
        draft.release()
        equal(draft.properties["version"]["tag"], newest)
        equal(rows(draft.table("t")), [8])

    with step("delete a version and bring it back"):
        first = dataset.version("v1.0")
        first.delete()
        equal(first.properties["isDeleted"], True)
        assert not me().dataset("Of many versions", version="v1.0").exists()
        with raises(exceptions.NotFoundError):
            rows(me().dataset("Of many versions", version="v1.0").table("t"))
        equal(rows(me().dataset("Of many versions", version="v1.1").table("t")), [1, 2, 3])
        first.undelete()
        equal(first.properties["isDeleted"], False)
        equal(rows(me().dataset("Of many versions", version="v1.0").table("t")), [1])

    with step("what is released stays as it is"):
        released = dataset.table("t")
        for change in [
            released.delete,
            dataset.table("late").create,
            lambda: released.update(name="other"),
            lambda: released.update(upload_merge_strategy="append"),
        ]:
            with raises(exceptions.APIError, "400", "next version"):
                change()
        released.update(description="Words may change")
        equal(released.get().properties["description"], "Words may change")

    with step("delete all"):
        dataset.delete()
        assert not dataset.exists() and not dataset.table("t").exists()


LIVES = [of_a_user, of_an_organization, tables, versions]
