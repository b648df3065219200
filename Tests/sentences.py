"""A text for training runs of seconds: a few hundred simple sentences."""


def sentences(rounds):
    return "".join(
        f"{subject} {verb} {place}.\n"
        for number in range(rounds)
        for subject in ["the cat", "a dog", "the old man", "my sister"][number % 4:] + ["a king"]
        for verb in ["sees the ball", "finds a house", "sings", "sleeps"][number % 3:]
        for place in ["in the garden", "by the sea", "at night"]
    )
