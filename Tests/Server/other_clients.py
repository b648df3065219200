"""LangChain's and LiteLLM's packages as clients, with the settings that they send by default."""

import argparse
import asyncio
import os
import sys

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # it would ask another server for prices

from langchain_openai import OpenAI
import litellm

from server import Server

passed = failed = 0


def check(name, condition, found=""):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    print(f"{'ok    ' if condition else 'FAILED'} {name}" + (f": {found}" if found and not condition else ""))


def langchain(url, model):
    client = OpenAI(base_url=url, api_key="none", model=model)
    text = client.invoke("The old prince ")
    print("invoke:", repr(text[:60]))
    check("langchain: its defaults", len(text) > 0)
    # Seeds are drawn, and one text in sixty settles at its beginning last: it comes as a whole.
    parts = max((list(client.stream("She opened ")) for _ in range(3)), key=len)
    check("langchain: a stream", len("".join(parts)) > 0 and len(parts) > 1, parts)
    short = OpenAI(base_url=url, api_key="none", model=model, max_tokens=8)
    check("langchain: twenty prompts at a time", len(short.generate([f"Prompt {i} " for i in range(20)]).generations) == 20)
    check("langchain: more prompts than one request has", len(short.batch([f"{i} " for i in range(25)])) == 25)
    many = OpenAI(base_url=url, api_key="none", model=model, n=3, best_of=3, max_tokens=8, temperature=0, seed=4)
    check("langchain: n and best_of", len(many.generate(["The "]).generations[0]) == 3)
    stopped = client.bind(stop=[" "]).invoke("The")
    check("langchain: stop", " " not in stopped, stopped)

    async def asynchronous():
        texts = await asyncio.gather(*(short.ainvoke(f"{i} ") for i in range(6)))
        parts = [part async for part in client.astream("It was ")]
        return texts, parts

    texts, parts = asyncio.run(asynchronous())
    check("langchain: asynchronous", len(texts) == 6 and len("".join(parts)) > 0)


def lite(url, model):
    base = {"model": f"text-completion-openai/{model}", "api_base": url, "api_key": "none", "prompt": "The old prince "}
    answer = litellm.text_completion(**base)
    print("text_completion:", repr(answer.choices[0].text))
    check("litellm: its defaults", len(answer.choices[0].text) > 0 and answer.usage.completion_tokens == 16, answer)
    answer = litellm.text_completion(**base, max_tokens=12, temperature=0.2, top_p=0.5, n=2, seed=1, stop=["zzz"])
    check("litellm: settings", len(answer.choices) == 2, answer)
    parts = [chunk.choices[0].text for chunk in litellm.text_completion(**base, max_tokens=24, stream=True) if chunk.choices]
    check("litellm: a stream", len("".join(part or "" for part in parts)) > 0, parts)

    async def asynchronous():
        answer = await litellm.atext_completion(**base, max_tokens=12)
        parts = [chunk async for chunk in await litellm.atext_completion(**base, max_tokens=12, stream=True)]
        return answer, parts

    answer, parts = asyncio.run(asynchronous())
    check("litellm: asynchronous", len(answer.choices[0].text) > 0 and len(parts) > 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sedd", required=True)
    parser.add_argument("--model", required=True)
    options = parser.parse_args()
    with Server(options.sedd, options.model, "--name", "served") as server:
        url = f"http://127.0.0.1:{server.port}/v1"
        langchain(url, "served")
        lite(url, "served")
        check("SIGTERM ends it with code 0", server.stop() == 0)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
