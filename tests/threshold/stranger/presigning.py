"""Presignatures, both rounds."""

import hashlib
from functools import cached_property
from typing import Any

from tests.threshold.stranger.curves import SECP, H
from tests.threshold.stranger.dealings import COMPLAINT, ENVELOPE, Boxes
from tests.threshold.stranger.words import (
    No,
    SeededRng,
    Session,
    data,
    index,
    number,
    raw,
    read,
    value_at,
    weights,
    wire,
)

Q = SECP.order
Rows = list[list[Any]]


def masked(value: int, mask: int) -> Any:
    return SECP.add(SECP.base(value), SECP.multiply(mask, H))


def wides(text: bytes) -> list[Any]:
    return [SECP.decode_wide(text[at : at + 65]) for at in range(0, len(text), 65)]


def row(points: Any) -> bytes:
    return b"".join(SECP.wide(one) for one in points)


class Presigning:
    """Reads `presignature.json`."""

    FIRST = ([bytes], [bytes], ENVELOPE)
    SECOND = ([bytes], bytes, ENVELOPE)

    def __init__(self, told: Any) -> None:
        self.told, parameters, self.parties = told, told["parameters"], told["inputs"]["parties"]
        session = Session(parameters["session"])
        self.size, self.root = parameters["size"], parameters["root"]
        self.terms = self.root["degree"] + 1
        self.boxes = [
            None,
            *(Boxes(session.part(f"/{one}"), self.parties) for one in ("first", "second")),
        ]
        self.keys = {at: SECP.decode(raw(one)) for at, one in enumerate(self.root["shares"], 1)}
        messages = told["messages"]
        self.firsts = {int(at): read(one, self.FIRST) for at, one in messages["first"].items()}
        self.seconds = {int(at): read(one, self.SECOND) for at, one in messages["second"].items()}

    def box(self, number: int) -> Boxes:
        found = self.boxes[number]
        assert found is not None
        return found

    # -- what dealers send

    def rows(self, dealer: int, texts: list[bytes], polynomials: int = 1) -> Rows:
        length = 65 * self.terms * polynomials
        if len(texts) != self.size or any(len(one) != length for one in texts):
            raise No("CHEATED", dealer)
        try:
            return [wides(one) for one in texts]
        except No as error:
            raise No("CHEATED", dealer) from error

    def contents(self, polynomials: list[list[int]]) -> dict[int, bytes]:
        return {
            at: b"".join(SECP.write(value_at(Q, one, at)) for one in polynomials)
            for at in self.box(1).keys
        }

    def deal_first(self, dealer: int, rng: SeededRng) -> Any:
        drawn = rng.scalars(SECP, "first", 3 * self.terms * self.size)
        parts = [drawn[at : at + self.terms] for at in range(0, len(drawn), self.terms)]
        values, masks, nonces = (parts[at::3] for at in range(3))
        first = [row(map(masked, *pair)) for pair in zip(values, masks, strict=True)]
        second = [row(map(SECP.base, one)) for one in nonces]
        envelope = self.box(1).seal(dealer, self.contents(parts), rng.child("envelope"))
        return [first, second, envelope]

    def deal_second(self, dealer: int, share: int, mine: Any, rng: SeededRng) -> Any:
        drawn = iter(rng.scalars(SECP, "second", 2 * (2 * self.terms - 1) * self.size))
        polynomials, rows, masks = [], [], []
        for value, _, nonce in mine:
            points = []
            for factor in (nonce, share):
                values = [factor * value % Q, *(next(drawn) for _ in range(self.terms - 1))]
                hidden = [next(drawn) for _ in range(self.terms)]
                polynomials += [values, hidden]
                points += list(map(masked, values, hidden))
                masks.append(hidden[0])
            rows.append(points)
        *coins, b, e = rng.scalars(SECP, "proof", self.size + 2)
        statement, mix, _ = self.statement(dealer, rows)
        crosses = [u * a + v * b for (u, v), a in zip(mix, coins, strict=True)]
        cross = masked(
            sum(one * value for one, (value, _, _) in zip(crosses, mine, strict=True)),
            sum(one * mask for one, (_, mask, _) in zip(crosses, mine, strict=True)) + e,
        )
        points = row([*map(SECP.base, [*coins, b]), cross])
        c = self.box(2).session.challenge(SECP, "products/challenge", statement, points)
        left = 0
        for at, ((u, v), (_, mask, nonce)) in enumerate(zip(mix, mine, strict=True)):
            left += u * masks[2 * at] + v * masks[2 * at + 1] - (u * nonce + v * share) * mask
        answers = [a + c * nonce for a, (_, _, nonce) in zip(coins, mine, strict=True)]
        proof = points + b"".join(map(SECP.write, [*answers, b + c * share, e + c * left]))
        envelope = self.box(2).seal(dealer, self.contents(polynomials), rng.child("envelope"))
        return [[row(one) for one in rows], proof, envelope]

    def statement(self, dealer: int, rows: Rows) -> Any:
        """Give what a proof is of, its weights, and P."""
        products = [point for one in rows for point in (one[0], one[self.terms])]
        parts = index(dealer), self.transcript, row([self.keys[dealer], *products])
        statement = self.box(2).session.digest("products", *parts)
        stream = hashlib.shake_256(statement).digest(32 * self.size)
        numbers = [int.from_bytes(stream[at : at + 16], "big") for at in range(0, len(stream), 16)]
        mixed = SECP.total(map(SECP.multiply, numbers, products))
        return statement, list(zip(numbers[::2], numbers[1::2], strict=True)), mixed

    # -- what others check

    def check_first(self, dealer: int, dealing: Any) -> bytes:
        for texts in dealing[:2]:
            self.rows(dealer, texts)
        self.box(1).check(dealer, dealing[2])
        return self.box(1).session.digest("first", index(dealer), *dealing[0], *dealing[1])

    def summed(self, dealings: dict[int, Any]) -> tuple[Rows, Rows]:
        """Give the sums of what first dealers committed to: of λ, of κ."""
        both = []
        for part in (0, 1):
            rows = [self.rows(at, one[part]) for at, one in dealings.items()]
            both.append(
                [
                    [SECP.total(column) for column in zip(*one, strict=True)]
                    for one in zip(*rows, strict=True)
                ]
            )
        return both[0], both[1]

    @cached_property
    def public(self) -> tuple[Rows, Rows]:
        return self.summed(self.firsts)

    @cached_property
    def transcript(self) -> bytes:
        hashes = [self.check_first(at, self.firsts[at]) for at in sorted(self.firsts)]
        return self.box(1).session.digest("first/sum", *hashes)

    def check_second(self, dealer: int, dealing: Any) -> Rows:
        texts, proof, envelope = dealing
        rows = self.rows(dealer, texts, 2)
        self.box(2).check(dealer, envelope)
        if len(proof) != (self.size + 2) * (65 + 32):
            raise No("CHEATED", dealer)
        try:
            good = self.proved(dealer, rows, proof)
        except No as error:
            raise No("CHEATED", dealer) from error
        if not good:
            raise No("CHEATED", dealer)
        return rows

    def proved(self, dealer: int, rows: Rows, proof: bytes) -> bool:
        middle = 65 * (self.size + 2)
        *starts, key, cross = wides(proof[:middle])
        tail = [SECP.scalar(proof[at : at + 32]) for at in range(middle, len(proof), 32)]
        *answers, of_key, of_mask = tail
        statement, mix, mixed = self.statement(dealer, rows)
        c = self.box(2).session.challenge(SECP, "products/challenge", statement, proof[:middle])
        known = [SECP.along(one, dealer) for one in self.public[1]]
        for point, start, answer in zip(
            [*known, self.keys[dealer]], [*starts, key], [*answers, of_key], strict=True
        ):
            if SECP.base(answer) != SECP.add(start, SECP.multiply(c, point)):
                return False
        terms = [
            SECP.multiply(u * answer + v * of_key, SECP.along(one, dealer))
            for (u, v), answer, one in zip(mix, answers, self.public[0], strict=True)
        ]
        left = SECP.total([*terms, SECP.multiply(of_mask, H)])
        return bool(left == SECP.add(cross, SECP.multiply(c, mixed)))

    def split(self, content: bytes, per: int) -> list[list[int]]:
        if len(content) != 32 * per * self.size:
            raise No("MALFORMED")
        try:
            found = [SECP.scalar(content[at : at + 32]) for at in range(0, len(content), 32)]
        except No as error:
            raise No("MALFORMED") from error
        return [found[at : at + per] for at in range(0, len(found), per)]

    # -- what one takes

    def take_first(self, at: int, dealings: dict[int, Any]) -> list[list[int]]:
        opened = [self.split(self.box(1).open(by, at, one[2]), 3) for by, one in dealings.items()]
        values, nonces = self.summed(dealings)
        found = []
        for place, mine in enumerate(zip(*opened, strict=True)):
            value, mask, nonce = (sum(column) % Q for column in zip(*mine, strict=True))
            self.holds(masked(value, mask), values[place], at)
            self.holds(SECP.base(nonce), nonces[place], at)
            found.append([value, mask, nonce])
        return found

    def take_second(self, at: int, dealings: dict[int, Any]) -> list[list[int]]:
        if len(dealings) != 2 * self.terms - 1:
            raise No("MALFORMED")
        rows = {by: self.check_second(by, one) for by, one in dealings.items()}
        opened = {
            by: self.split(self.box(2).open(by, at, one[2]), 4) for by, one in dealings.items()
        }
        factors, found = weights(Q, dealings), []
        for place in range(self.size):
            sums = [
                sum(factors[by] * one[place][part] for by, one in opened.items()) % Q
                for part in range(4)
            ]
            products = self.product(rows, factors, place)
            for part, points in enumerate(products):
                self.holds(masked(*sums[2 * part : 2 * part + 2]), points, at)
            found.append(sums)
        return found

    def product(self, rows: dict[int, Rows], factors: dict[int, int], place: int) -> Any:
        """Give the commitments to κλ and to xλ of one presignature."""
        columns = zip(*(rows[by][place] for by in rows), strict=True)
        points = [SECP.total(map(SECP.multiply, factors.values(), one)) for one in columns]
        return points[: self.terms], points[self.terms :]

    def holds(self, point: Any, commitment: list[Any], at: int) -> None:
        if point != SECP.along(commitment, at):
            raise No("MALFORMED")

    # -- steps

    def replay(self) -> Any:
        seeds = {one["index"]: one for one in self.parties}
        parameters, secrets = self.told["parameters"], {}
        first = {
            at: self.deal_first(at, SeededRng(raw(seeds[at]["firstSeed"])))
            for at in parameters["firstDealers"]
        }
        mine = {at: self.take_first(at, first) for at in seeds}
        second = {}
        for at in parameters["secondDealers"]:
            rng = SeededRng(raw(seeds[at]["secondSeed"]))
            second[at] = self.deal_second(at, int(seeds[at]["secretShare"], 16), mine[at], rng)
        taken = {at: self.take_second(at, second) for at in seeds}
        rows = {at: self.rows(at, one[0], 2) for at, one in second.items()}
        made = []
        for place in range(self.size):
            secrets = {
                str(at): [
                    data(SECP.write(one)) for one in (*mine[at][place][:2], *taken[at][place])
                ]
                for at in seeds
            }
            nonce, key = self.product(rows, weights(Q, rows), place)
            made.append(
                {
                    "point": data(SECP.encode(self.public[1][place][0])),
                    "blinder": [data(SECP.encode(one)) for one in self.public[0][place]],
                    "nonceProduct": [data(SECP.encode(one)) for one in nonce],
                    "keyProduct": [data(SECP.encode(one)) for one in key],
                    "secrets": secrets,
                }
            )
        messages = {
            "first": {str(at): wire(one) for at, one in first.items()},
            "second": {str(at): wire(one) for at, one in second.items()},
        }
        return messages, {"transcript": data(self.transcript), "presignatures": made}

    def first(self, told: Any) -> Any:
        return {"digest": data(self.check_first(told["from"], read(told["dealing"], self.FIRST)))}

    def second(self, told: Any) -> Any:
        dealing = read(told["dealing"], self.SECOND)
        self.check_second(told["from"], dealing)
        return {"products": [data(one) for one in dealing[0]]}

    def receive1(self, told: Any) -> Any:
        instead = {int(at): read(one, self.FIRST) for at, one in told["instead"].items()}
        taken = self.take_first(told["to"], {**self.firsts, **instead})
        return [[data(SECP.write(one)) for one in mine] for mine in taken]

    def receive2(self, told: Any) -> Any:
        instead = {int(at): read(one, self.SECOND) for at, one in told["instead"].items()}
        dealings = {**self.seconds, **instead}
        dealings.pop(told.get("without"), None)
        first = self.take_first(told["to"], self.firsts)
        taken = self.take_second(told["to"], dealings)
        return [
            [data(SECP.write(one)) for one in (*mine[:2], *more)]
            for mine, more in zip(first, taken, strict=True)
        ]

    def complaint1(self, told: Any) -> Any:
        texts, plain, envelope = read(told["dealing"], self.FIRST)
        dealer = number(read(told["complaint"], COMPLAINT)[1])
        values, nonces = self.rows(dealer, texts), self.rows(dealer, plain)

        def fits(at: int, content: bytes) -> None:
            for place, (value, mask, nonce) in enumerate(self.split(content, 3)):
                self.holds(masked(value, mask), values[place], at)
                self.holds(SECP.base(nonce), nonces[place], at)

        return {"guilty": self.box(1).guilty(told["complaint"], dealer, envelope, fits)}

    def complaint2(self, told: Any) -> Any:
        texts, _, envelope = read(told["dealing"], self.SECOND)
        dealer = number(read(told["complaint"], COMPLAINT)[1])
        rows = self.rows(dealer, texts, 2)

        def fits(at: int, content: bytes) -> None:
            for place, (one, n, other, m) in enumerate(self.split(content, 4)):
                self.holds(masked(one, n), rows[place][: self.terms], at)
                self.holds(masked(other, m), rows[place][self.terms :], at)

        return {"guilty": self.box(2).guilty(told["complaint"], dealer, envelope, fits)}
