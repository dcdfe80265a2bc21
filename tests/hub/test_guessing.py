import asyncio
from dataclasses import dataclass

from hub.guessing import FREE_FOR_ADDRESS, FREE_FOR_LOGIN, LONGEST_DELAY, Guesses
from hub.passwords import Line, hashed, matches


@dataclass
class Clock:
    time: float = 0.0

    def __call__(self) -> float:
        return self.time


def test_guessing_one_login_is_slowed_down_and_never_beyond_the_limit() -> None:
    guesses = Guesses(Clock())

    delays = [guesses.refuse("ana", f"10.0.0.{number}") for number in range(40)]

    assert delays[:FREE_FOR_LOGIN] == [0.0] * FREE_FOR_LOGIN
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY <= 2


def test_guessing_many_logins_from_one_address_is_slowed_down() -> None:
    guesses = Guesses(Clock())

    delays = [guesses.refuse(f"user{number}", "2001:db8::1") for number in range(40)]

    assert delays[:FREE_FOR_ADDRESS] == [0.0] * FREE_FOR_ADDRESS
    assert delays[-1] == LONGEST_DELAY
    assert guesses.refuse("other", "2001:db8::ffff") == LONGEST_DELAY
    assert guesses.refuse("other", "2001:db8:0:1::1") == 0.0


def test_refusals_are_forgotten_with_time() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(20):
        guesses.refuse("ana", "10.0.0.1")

    clock.time = 600

    assert guesses.refuse("ana", "10.0.0.1") == 0.0


def test_login_that_was_right_before_keeps_its_place_whatever_its_address_does() -> None:
    guesses = Guesses(Clock())
    guesses.accept("ana")
    for number in range(100):
        guesses.refuse(f"user{number}", "10.0.0.1")

    assert guesses.suspicion("ana", "10.0.0.1") == 0.0
    assert guesses.suspicion("new", "10.0.0.1") > 0.0
    assert guesses.suspicion("new", "10.0.0.2") == 0.0


async def test_calm_login_passes_those_that_guess() -> None:
    right = await hashed("right password")
    line = Line(places=1)
    finished: list[str] = []

    async def attempt(name: str, password: str, suspicion: float) -> None:
        async with line.turn(suspicion):
            finished.append(f"{name} {await matches(password, right)}")

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(attempt(f"guess{number}", "wrong", 10.0))
        group.create_task(attempt("calm", "right password", 0.0))

    assert finished.index("calm True") == 1
    assert len(finished) == 6


async def test_caller_that_leaves_the_line_does_not_block_it() -> None:
    line = Line(places=1)

    async def stand() -> None:
        async with line.turn(0.0):
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(stand()) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    await asyncio.wait_for(stand(), 5)


async def test_password_of_nobody_is_never_right() -> None:
    assert await matches("right password", await hashed("right password"))
    assert not await matches("right password", None)
