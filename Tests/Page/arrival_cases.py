"""The page on arrival: the description of the model, its recorded run, and the server's declarations."""

import json
import urllib.request

from reference import Run, differences, joined, read, shown
from server_cases import finish, start, write

# Modifies the response of v1/models before the page requests it.
OTHER_MODEL = """
    const network = window.fetch;
    window.fetch = async (path, options) => {
        const response = await network(path, options);
        if (!String(path).endsWith("v1/models")) return response;
        const answer = await response.json();
        const change = %s;
        change(answer.data[0]);
        return new Response(JSON.stringify(answer), { status: 200 });
    };
"""


def with_model(page, url, change):
    page.open_prepared(url + "/", OTHER_MODEL % change)
    page.wait("document.getElementById('model').textContent", "the model's name")


def model_of(url):
    with urllib.request.urlopen(url + "/v1/models") as response:
        return json.load(response)["data"][0]


def arriving(page, url):
    """A recorded run of the served model plays on arrival, again and again, until one types"""
    page.wait("document.querySelector('#text span')", "the recorded run", 300)
    page.wait("document.getElementById('play').textContent === 'Pause'", "playback")
    first = page.run("return Number(scrubber.value)")
    page.wait(f"Number(scrubber.value) > {first} || Number(scrubber.value) < {first}", "steps")
    kept = Run(url)
    page.wait("document.getElementById('play').textContent === 'Replay'", "the end of playback", 60)
    assert read(page) == kept.done["text"] == joined(kept), read(page)
    page.wait("document.getElementById('play').textContent === 'Pause'", "that it begins anew", 10)
    assert "recorded" in page.text("#caption") and not page.run("return location.hash"), page.text("#caption")
    page.write("Hello")
    assert page.run("return document.body.classList.contains('editing')") and page.value("#template") == "Hello"
    assert not page.is_shown("#text") and page.is_shown("#template")
    page.run("return new Promise((done) => setTimeout(done, 500))")
    assert not page.run("return document.body.classList.contains('running')"), "typing runs nothing"


def recorded(page, url):
    """The recorded run is the model's own at each step, and nothing moves"""
    page.wait("document.querySelector('#text span')", "the recorded run", 300)
    kept = Run(url)
    last = len(kept.steps)
    places = """
        return [...document.querySelectorAll("#text span")].map((span) => {
            const { left, top, width } = span.getBoundingClientRect();
            return [left, top, width].map(Math.round).join();
        });
    """
    seen = set()
    for step in (0, last // 3, last // 2, last - 1, last):
        page.run("scrubber.value = arguments[0]; scrubber.dispatchEvent(new Event('input'))", step)
        wrong = differences(kept, step, shown(page))
        assert not wrong, f"step {step}: {wrong[:5]}"
        seen.add(tuple(page.run(places)))
    assert len(seen) == 1, "positions have moved"


def still(page, url):
    """Reduced motion: the recorded run does not start by itself"""
    page.media(prefers_reduced_motion="reduce")
    page.open("about:blank")
    page.open(url + "/")
    page.wait("document.querySelector('#text span')", "the recorded run", 300)
    held = page.run("return scrubber.value"), page.run("return document.getElementById('play').textContent")
    assert held[1] == "Replay", held
    page.run("return new Promise((done) => setTimeout(done, 5000))")
    assert page.run("return scrubber.value") == held[0], "it moves"


def saying(page, url):
    """The page describes the model with the server's data: size, training data, abilities"""
    model = model_of(url)
    text = page.text("#model")
    assert text.startswith(model.get("card", {}).get("title", model["id"]) + " is "), text
    assert "weights" in text, text
    for member in ("training_data", "abilities"):
        assert model.get("card", {}).get(member, "") in text, member
    with_model(page, url, """(model) => {
        model.parameters = 424_000_000;
        model.card = { title: "Tales", training_data: "fairy tales of the north", abilities: "It tells of trolls", language: "nb" };
    }""")
    text = page.text("#model")
    assert text == "Tales is a small model of 420 million weights. It learnt from fairy tales of the north. It tells of trolls.", text
    assert page.run("return document.getElementById('template').lang") == "nb"
    with_model(page, url, "(model) => { delete model.card; model.parameters = 1_300_000_000; }")
    text = page.text("#model")
    assert text == f"{model['id']} is a model of 1.3 billion weights. Its folder does not say what it learnt from.", text


def declared(page, url):
    """A method, a setting and a filter unknown to the page appear with their descriptions, and are sent"""
    with_model(page, url, """(model) => {
        model.samplers.push("leap");
        model.samplers.push("event");
        model.methods.push({ name: "event", summary: "Waits for something to happen", uses_grid: false, settings: [] });
        model.methods.push({ name: "leap", summary: "Leaps over what is in its way", uses_grid: true, settings: [
            { name: "height", help: "How high it leaps.", expected: "a number", standard: 2 },
            { name: "foot", help: "Which foot comes first.", expected: "a word", standard: "left", choices: ["left", "right"] }] });
        model.filters.push({ name: "min_p", help: "Leaves out what is less likely than this.", expected: "a number", standard: 0 });
        model.grids.push({ name: "late", summary: "All of it in the last hour" });
    }""")
    page.run("""
        document.getElementById("settings").open = true;
        for (const [id, value] of [["sampler", "leap"], ["grid", "late"]]) {
            document.getElementById(id).value = value;
            document.getElementById(id).dispatchEvent(new Event("input"));
        }
    """)
    for name, line in (("sampler", "Leaps over what is in its way."), ("grid", "All of it in the last hour."),
                       ("height", "How high it leaps."), ("foot", "Which foot comes first."),
                       ("min_p", "Leaves out what is less likely than this.")):
        assert page.text(f"#{name}-hint") == line and page.is_shown(f"#{name}"), name
    page.type("#height", "3.5")
    page.type("#min_p", "0.1")
    page.run("foot.value = 'right'")
    page.run("window.asked = []; window.fetch = async (path, options) => { window.asked.push(options.body); return new Response('{}', { status: 500 }); }")
    page.click("#run")
    page.wait("window.asked.length", "the request")
    sent = json.loads(page.run("return window.asked[0]"))
    assert (sent["sampler"], sent["grid"], sent["height"], sent["foot"], sent["min_p"]) == ("leap", "late", 3.5, "right", 0.1), sent
    page.run("""
        document.getElementById("sampler").value = "euler";
        document.getElementById("sampler").dispatchEvent(new Event("input"));
    """)
    assert page.run("return document.getElementById('height')") is None, "another method's setting stays behind"
    page.run("""
        document.getElementById("sampler").value = "event";
        document.getElementById("sampler").dispatchEvent(new Event("input"));
    """)
    assert page.run("return document.getElementById('steps').disabled && document.getElementById('grid').disabled")
    assert "steps" in page.text("#sampler-hint") and "steps" not in page.text("#settings-say"), page.text("#settings-say")


def recommended(page, url):
    """Empty fields have the values recommended by the model's folder, which the collapsed settings summarize"""
    with_model(page, url, """(model) => {
        model.card = { ...model.card, sampling: { method: "remask", steps: 24, grid: "cosine", temperature: 0.7, top_k: null, top_p: 0.9, eta: 2 } };
    }""")
    assert not page.run("return document.getElementById('settings').open"), "settings are folded away"
    said = page.text("#settings-say")
    assert said.startswith("remask, 24 steps, temperature 0.7") and "recommend" in said, said
    page.run("window.network ??= window.fetch; window.asked = []; window.fetch = (path, options) => {"
             " if (options?.body) window.asked.push(options.body); return window.network(path, options); }")
    write(page, "It was ________________ and")
    start(page)
    finish(page)
    sent = json.loads(page.run("return window.asked[0]"))
    assert (sent["sampler"], sent["steps"], sent["grid"], sent["temperature"], sent["top_p"]) == ("remask", 24, "cosine", 0.7, 0.9), sent
    assert str(sent["eta"]) == "2" and "top_k" not in sent, sent
    page.run("document.getElementById('settings').open = true")
    page.type("#steps", "12")
    assert "12 steps" in page.text("#settings-say") and "recommend" not in page.text("#settings-say")
    page.type("#steps", "")
    assert "recommend" in page.text("#settings-say"), page.text("#settings-say")
    page.run("""
        document.getElementById("sampler").value = "euler";
        document.getElementById("sampler").dispatchEvent(new Event("input"));
    """)
    assert page.text("#settings-say").startswith("euler") and "recommend" not in page.text("#settings-say"), page.text("#settings-say")


def examples(page, url):
    """Examples are named by what they do, and run at once"""
    names = page.run("return [...document.querySelectorAll('#examples button')].map((each) => each.textContent)")
    card = model_of(url).get("card", {}).get("examples")
    assert len(names) >= 4 and (not card or names == [each["name"] for each in card]), names
    page.run("document.getElementById('status').textContent = ''; document.querySelectorAll('#examples button')[1].click()")
    finish(page)
    page.click("#edit")
    assert "___" in page.value("#template"), page.value("#template")


CASES = [arriving, recorded, still, saying, declared, recommended, examples]
