"""What is said about variables, and what their statistics say."""

import redivis
from redivis import exceptions

from comparing import equal, raises

QUIET = {"progress": False}


def variables(step, folder):
    """Labels, descriptions and what values stand for."""
    dataset = redivis.user(redivis.current_user().name).dataset("Of variables").create()
    table = dataset.table("Answers").create()
    table.upload("answers.csv").create(b"Id,Answer,When\n1,y,2020-01-01\n2,n,2020-01-02\n3,,\n", **QUIET)

    with step("list"):
        listed = table.list_variables()
        equal([(v.name, v.properties["type"]) for v in listed], [("Id", "integer"), ("Answer", "string"), ("When", "date")])
        equal([v.properties["index"] for v in listed], [0, 1, 2])
        equal([v.name for v in table.list_variables(max_results=2)], ["Id", "Answer"])

    with step("change one"):
        answer = table.variable("answer")
        answer.update(label="The answer", description="Yes or no", value_labels=[{"value": "y", "label": "yes"}])
        properties = table.variable("Answer").get().properties
        equal((properties["label"], properties["description"]), ("The answer", "Yes or no"))
        equal(properties["valueLabels"], [{"value": "y", "label": "yes"}])
        answer.update(label="")
        equal(table.variable("Answer").get().properties["description"], "Yes or no")
        with raises(exceptions.APIError, "400", "256"):
            answer.update(label="x" * 257)
        with raises(exceptions.NotFoundError, "question"):
            table.variable("question").update(label="x")

    with step("change several"):
        table.update_variables(
            [
                {"name": "id", "label": "Number", "valueLabels": [{"value": 1, "label": "one"}]},
                {"name": "WHEN", "description": "The day"},
            ]
        )
        equal(table.list_variables()[0].properties["label"], "Number")
        equal(table.variable("Id").get().properties["valueLabels"], [{"value": 1, "label": "one"}])
        equal(table.variable("When").get().properties["description"], "The day")
        with raises(exceptions.NotFoundError, "missing"):
            table.update_variables([{"name": "Id", "label": "Lost"}, {"name": "missing"}])
        equal(table.variable("Id").get().properties["label"], "Number")

    with step("keep all of it over versions and uploads"):
        dataset.release()
        draft = dataset.create_next_version()
        draft.table("Answers").upload("more.csv").create(b"Id,Answer\n4,y\n", **QUIET)
        draft.table("Answers").variable("Id").update(label="Count")
        equal(draft.table("Answers").variable("When").get().properties["description"], "The day")
        equal(dataset.table("Answers").variable("Id").get().properties["label"], "Number")
        equal(draft.table("Answers").variable("Id").get().properties["label"], "Count")

    with step("change words of a release"):
        dataset.table("Answers").variable("When").update(label="Day")
        equal(redivis.table(f"{dataset.user.name}.of_variables.answers").variable("When").get().properties["label"], "Day")

    with step("those of all tables of a dataset"):
        draft.update_variables([{"name": "answer", "label": "Everywhere"}])
        equal(draft.table("Answers").variable("Answer").get().properties["label"], "Everywhere")
    dataset.delete()


def statistics(step, folder):
    """Counts, ranges and means."""
    dataset = redivis.user(redivis.current_user().name).dataset("Of numbers").create()
    table = dataset.table("Numbers").create()
    table.upload("a.csv").create(b"n,x,word,day\n1,0.5,a,2020-01-01\n2,,b,1999-12-31\n", **QUIET)
    upload = table.upload("b.csv").create(b"n,x,word,day\n-6,2.5,a,1999-12-31\n", **QUIET)

    def told(variable, *keys):
        statistics = variable.get_statistics()
        equal(statistics["status"], "completed")
        return tuple(statistics[key] for key in keys)

    keys = ("count", "numDistinct", "min", "max", "mean")
    with step("of a table"):
        equal(told(table.variable("n"), *keys), (3, 3, -6, 2, -1.0))
        equal(told(table.variable("X"), *keys), (2, 2, 0.5, 2.5, 1.5))
        equal(told(table.variable("word"), "count", "numDistinct", "min", "max"), (3, 2, 1, 1))
        # Days are told in milliseconds since 1970, texts by their lengths.
        equal(told(table.variable("day"), "count", "numDistinct", "min", "max"), (3, 2, 946598400000, 1577836800000))
        with raises(exceptions.NotFoundError, "y"):
            table.variable("y").get_statistics()
    with step("of an upload"):
        equal(told(upload.variable("n"), *keys), (1, 1, -6, -6, -6.0))
    with step("of a release"):
        dataset.release()
        equal(told(dataset.table("Numbers").variable("n"), *keys), (3, 3, -6, 2, -1.0))
    dataset.delete()


LIVES = [variables, statistics]
