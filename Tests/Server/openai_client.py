"""The `openai` Python package as a client: plain, streamed, and every kind of error as its usual exception."""

import argparse
import asyncio
import sys

import openai

from server import Server

passed = failed = 0
# The hole is full, or the model has written an end of text in it.
ENDS = ("length", "stop")


def check(name, condition, found=""):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
    print(f"{'ok    ' if condition else 'FAILED'} {name}" + (f": {found}" if found and not condition else ""))


def expect(name, exception, parameter, call, **arguments):
    try:
        call(**arguments)
        check(name, False, "no exception")
    except exception as error:
        body = error.body or {}
        check(name, parameter is None or body.get("param") == parameter, f"{type(error).__name__} {body}")
    except Exception as error:
        check(name, False, f"{type(error).__name__}: {error}")


def plain(client, model):
    answer = client.completions.create(
        model=model, prompt="The old prince ", max_tokens=40, seed=3, extra_body={"steps": 32, "sampler": "analytic"})
    print("plain:   ", repr(answer.choices[0].text))
    reason = answer.choices[0].finish_reason
    check("an answer has its text", len(answer.choices[0].text) > 0 and reason in ENDS, reason)
    # Tokens have one byte or more.
    check("usage is filled", 0 < answer.usage.prompt_tokens <= 15 and answer.usage.completion_tokens == 40
          and answer.usage.total_tokens == answer.usage.prompt_tokens + 40, answer.usage)
    check("it names its model", answer.model == model and answer.object == "text_completion")
    again = client.completions.create(model=model, prompt="The old prince ", max_tokens=40, seed=3, extra_body={"steps": 32})
    check("a seed repeats", again.choices[0].text == answer.choices[0].text)

    parts, reasons, usage = [], [], None
    stream = client.completions.create(
        model=model, prompt="The old prince ", max_tokens=40, seed=3, stream=True,
        stream_options={"include_usage": True}, extra_body={"steps": 32})
    for event in stream:
        usage = event.usage or usage
        for choice in event.choices:
            parts.append(choice.text)
            reasons.append(choice.finish_reason)
    print("streamed:", parts)
    check("a stream adds up", "".join(parts) == answer.choices[0].text)
    check("it comes in parts", sum(map(bool, parts)) > 1)
    check("it ends with a reason", reasons[-1] == reason and not any(reasons[:-1]), reasons)
    check("it tells the usage", usage == answer.usage, usage)

    both = client.completions.create(
        model=model, prompt=["He ", "She "], suffix=" left.", n=2, max_tokens=12, seed=1, echo=True, user="tester")
    texts = [choice.text for choice in both.choices]
    check("prompts times n, with echo", len(texts) == 4 and texts[0].startswith("He ") and texts[3].startswith("She "), texts)
    stopped = client.completions.create(model=model, prompt="It was ", max_tokens=60, seed=2, stop=[" ", "."])
    check("stop texts end an answer", " " not in stopped.choices[0].text and stopped.choices[0].finish_reason == "stop")
    ids = client.completions.create(model=model, prompt=[72, 101, 32], max_tokens=4, seed=1)
    check("token ids are a prompt", len(ids.choices) == 1)
    check("models are listed", [m.id for m in client.models.list()] == [model] and client.models.retrieve(model).id == model)


def settings(client, model):
    """Options that users of this client commonly set, although the method ignores them."""
    base = {"model": model, "prompt": "The ", "max_tokens": 8, "seed": 3, "extra_body": {"steps": 8}}
    plain = client.completions.create(**base).choices[0].text
    raw = client.completions.with_raw_response.create(**base, presence_penalty=0.5, frequency_penalty=0)
    check("penalties are taken", raw.parse().choices[0].text == plain)
    check("and told", raw.headers["x-ignored-parameters"] == "presence_penalty", raw.headers.get("x-ignored-parameters"))
    check("temperature 0", client.completions.create(**base, temperature=0, top_p=0.9).choices[0].finish_reason in ENDS)
    check("best_of = n", len(client.completions.create(**base, n=2, best_of=2).choices) == 2)
    for seed in (-1, 2**63 - 1, -(2**63)):
        check(f"seed {seed}", client.completions.create(**{**base, "seed": seed}).choices[0].finish_reason in ENDS)
    echo = client.completions.create(**{**base, "max_tokens": 0}, echo=True)
    check("max_tokens 0 with echo", (echo.choices[0].text, echo.usage.completion_tokens) == ("The ", 0), echo)
    twins = client.completions.create(**{**base, "prompt": ["The "] * 3, "seed": None})
    check("equal prompts have texts of their own", len({choice.text for choice in twins.choices}) == 3)
    stream = client.completions.create(**base, stream=True, stream_options={"include_usage": True, "include_obfuscation": False})
    check("include_obfuscation", "".join(event.choices[0].text for event in stream if event.choices) == plain)
    try:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hi"}])
        check("chat is refused", False)
    except openai.NotFoundError as error:
        check("chat tells what to use", "/v1/completions" in error.message, error.message)


async def asynchronous(port, model):
    client = openai.AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)
    base = {"model": model, "prompt": "The old prince ", "max_tokens": 24, "extra_body": {"steps": 16}}
    answers = await asyncio.gather(*(client.completions.create(**base, seed=seed) for seed in range(8)))
    check("eight at once", len({answer.choices[0].text for answer in answers}) == 8)
    parts = []
    async for event in await client.completions.create(**base, seed=5, stream=True):
        parts += [choice.text for choice in event.choices]
    check("an asynchronous stream adds up", "".join(parts) == answers[5].choices[0].text, parts)
    print("asynchronous stream:", parts)
    # A stream that the client abandons.
    async with await client.completions.create(**{**base, "max_tokens": 200}, seed=6, stream=True) as stream:
        async for _ in stream:
            break
    check("a stream that is left", (await client.completions.create(**base, seed=1)).choices[0].text == answers[1].choices[0].text)
    await client.close()


def mistakes(client, model):
    create = client.completions.create
    base = {"model": model, "prompt": "a", "max_tokens": 4}
    bad, lost = openai.BadRequestError, openai.NotFoundError
    expect("unknown model", lost, "model", create, **{**base, "model": "gpt-4"})
    expect("negative max_tokens", bad, "max_tokens", create, **{**base, "max_tokens": -1})
    expect("huge max_tokens", bad, "max_tokens", create, **{**base, "max_tokens": 10**12})
    expect("temperature", bad, "temperature", create, **base, temperature=-1)
    expect("best_of", bad, "best_of", create, **base, n=1, best_of=3)
    expect("logprobs", bad, "logprobs", create, **base, logprobs=2)
    expect("too many prompts", bad, "prompt", create, **{**base, "prompt": ["a"] * 200})
    expect("n", bad, "n", create, **base, n=1000)
    expect("unknown member", bad, "colour", create, **base, extra_body={"colour": "red"})
    expect("steps", bad, "steps", create, **base, extra_body={"steps": 0})
    expect("a model that is not there", lost, "model", client.models.retrieve, model="other")
    expect("chat is not served", lost, None, client.chat.completions.create, model=model, messages=[])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sedd", required=True)
    parser.add_argument("--model", required=True)
    options = parser.parse_args()
    with Server(options.sedd, options.model, "--name", "served") as server:
        print(f"openai {openai.__version__}; the server was ready after {server.seconds_to_ready:.2f} s")
        check("ready in under 3 s", server.seconds_to_ready < 3, server.seconds_to_ready)
        client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none", max_retries=0)
        plain(client, "served")
        settings(client, "served")
        asyncio.run(asynchronous(server.port, "served"))
        mistakes(client, "served")
        check("SIGTERM ends it with code 0", server.stop() == 0)
    import tempfile

    with tempfile.NamedTemporaryFile("w") as keys:
        keys.write("sk-right\n")
        keys.flush()
        with Server(options.sedd, options.model, "--api-keys", keys.name) as server:
            url = f"http://127.0.0.1:{server.port}/v1"
            wrong = openai.OpenAI(base_url=url, api_key="sk-wrong", max_retries=0)
            expect("a wrong key", openai.AuthenticationError, None, wrong.models.list)
            right = openai.OpenAI(base_url=url, api_key="sk-right", max_retries=0)
            check("the right key", len(list(right.models.list())) == 1)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
