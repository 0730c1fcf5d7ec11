"""Envelopes, complaints; key generation and reshare."""

from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from tests.threshold.stranger.curves import GROUPS, SECP
from tests.threshold.stranger.words import (
    No,
    SeededRng,
    Session,
    data,
    framed,
    index,
    number,
    raw,
    read,
    value_at,
    weights,
    wire,
)

ENVELOPE = (bytes, bytes, [bytes])
COMPLAINT = (bytes, bytes, bytes, bytes)


class Boxes:
    """Locks and opens boxes of one session."""

    def __init__(self, session: Session, parties: Any) -> None:
        self.session = session
        self.secrets = {one["index"]: int(one["sealingSecret"], 16) for one in parties}
        self.keys = {at: SECP.base(secret) for at, secret in self.secrets.items()}

    def seal(self, dealer: int, contents: dict[int, bytes], rng: SeededRng) -> Any:
        secret, nonce = rng.scalars(SECP, "envelope", 2)
        ephemeral = SECP.encode(SECP.base(secret))
        proof = SECP.prove_possession(self.session, index(dealer), secret, nonce)
        boxes = []
        for at in range(1, max(self.keys) + 1):
            if at in self.keys:
                cipher, about = self._lock(
                    dealer, at, ephemeral, SECP.multiply(secret, self.keys[at])
                )
                boxes.append(cipher.encrypt(bytes(12), contents[at], about))
            else:
                boxes.append(b"")
        return [ephemeral, proof, boxes]

    def check(self, dealer: int, envelope: Any) -> None:
        ephemeral, proof, boxes = envelope
        try:
            point = SECP.decode(ephemeral)
            good = len(proof) == 64 and SECP.verify_possession(
                self.session, index(dealer), point, proof
            )
        except No as error:
            raise No("CHEATED", dealer) from error
        stray = any(box for at, box in enumerate(boxes, 1) if at not in self.keys)
        if not good or len(boxes) != max(self.keys) or stray:
            raise No("CHEATED", dealer)

    def open(self, dealer: int, at: int, envelope: Any, shared: Any = None) -> bytes:
        if shared is None:
            shared = SECP.multiply(self.secrets[at], SECP.decode(envelope[0]))
        cipher, about = self._lock(dealer, at, envelope[0], shared)
        try:
            return cipher.decrypt(bytes(12), envelope[2][at - 1], about)
        except (InvalidTag, ValueError) as error:
            raise No("SEAL_BROKEN") from error

    def _lock(self, dealer: int, at: int, ephemeral: bytes, shared: Any) -> Any:
        points = ephemeral, SECP.encode(self.keys[at]), SECP.encode(shared)
        key = self.session.digest("box", index(dealer), index(at), *points)[:32]
        return AESGCMSIV(key), framed(*self.session.parts, index(dealer), index(at))

    def guilty(self, text: str, dealer: int, envelope: Any, fits: Any) -> int:
        """Judge a complaint.

        `fits(at, content)` raises where a content is not what it should be.
        """
        accuser, _, shared, proof = read(text, COMPLAINT)
        at = number(accuser)
        if at not in self.keys:
            return at
        session = self.session.part(f"/dealer {dealer}")
        base, public = SECP.decode(envelope[0]), self.keys[at]
        try:
            point = SECP.decode(shared)
            c, answer = SECP.scalar(proof[:32]), SECP.scalar(proof[32:])
        except No:
            return at
        first = SECP.add(SECP.base(answer), SECP.multiply(-c, public))
        second = SECP.add(SECP.multiply(answer, base), SECP.multiply(-c, point))
        if first is None or second is None:
            return at
        parts = [SECP.encode(one) for one in (public, base, point, first, second)]
        if session.challenge(SECP, "equality", index(at), *parts) != c:
            return at
        try:
            fits(at, self.open(dealer, at, envelope, point))
        except No:
            return dealer
        return at


class Sharing:
    """What key generation and reshare have in common: one dealer's polynomial, dealt."""

    DEALING: Any = ([bytes], ENVELOPE)

    def __init__(self, told: Any) -> None:
        self.told = told
        parameters = told["parameters"]
        self.group = GROUPS[parameters["group"]]
        self.session, self.degree = Session(parameters["session"]), parameters["degree"]
        self.boxes = Boxes(self.session, told["inputs"]["parties"])

    def deal(self, dealer: int, polynomial: list[int], rng: SeededRng) -> Any:
        group = self.group
        contents = {
            at: group.write(value_at(group.order, polynomial, at)) for at in self.boxes.keys
        }
        envelope = self.boxes.seal(dealer, contents, rng.child("dealing"))
        return [[group.encode(group.base(one)) for one in polynomial], envelope]

    def check(self, dealer: int, dealing: Any) -> list[Any]:
        points, envelope = dealing
        if len(points) != self.degree + 1:
            raise No("CHEATED", dealer)
        try:
            found = self.group.row(points)
        except No as error:
            raise No("CHEATED", dealer) from error
        self.boxes.check(dealer, envelope)
        return list(found)

    def take(self, dealer: int, at: int, dealing: Any) -> int:
        points = self.check(dealer, dealing)
        try:
            return self.fits(points, at, self.boxes.open(dealer, at, dealing[1]))
        except No as error:
            raise No("CHEATED", dealer) from error

    def fits(self, points: list[Any], at: int, content: bytes) -> int:
        share = self.group.scalar(content)
        if self.group.base(share) != self.group.along(points, at):
            raise No("CHEATED")
        return int(share)

    def rooted(self, points: list[Any]) -> Any:
        group = self.group
        shares = [group.along(points, at) for at in range(1, max(self.boxes.keys) + 1)]
        return {
            "degree": len(points) - 1,
            "public": data(group.encode(points[0])),
            "shares": [
                "0x" if one == group.identity else data(group.encode(one)) for one in shares
            ],
        }


class Keygen(Sharing):
    """Reads `keygen.json`."""

    OPENING = (Sharing.DEALING, bytes)

    def replay(self) -> Any:
        group, openings, hashes = self.group, {}, {}
        for one in self.told["inputs"]["parties"]:
            at, rng = one["index"], SeededRng(raw(one["seed"]))
            polynomial = rng.scalars(group, "polynomial", self.degree + 1)
            dealing = self.deal(at, polynomial, rng)
            (nonce,) = rng.scalars(group, "possession", 1)
            proof = group.prove_possession(self.session, index(at), polynomial[0], nonce)
            openings[at] = [dealing, proof]
            hashes[at] = self._hash(at, wire(openings[at]))
        secrets = {}
        for at in openings:
            total = sum(self.take(dealer, at, one[0]) for dealer, one in openings.items())
            secrets[str(at)] = data(group.write(total))
        messages = {
            "hashes": {str(at): data(one) for at, one in hashes.items()},
            "openings": {str(at): wire(one) for at, one in openings.items()},
        }
        return messages, {"root": self.root({"openings": messages["openings"]})} | {
            "secretShares": secrets
        }

    def _hash(self, at: int, text: str) -> bytes:
        return self.session.digest("dkg", index(at), raw(text))

    def opening(self, told: Any) -> Any:
        at = told["from"]
        dealing, proof = read(told["opening"], self.OPENING)
        if self._hash(at, told["opening"]) != raw(told["hash"]):
            raise No("CHEATED", at)
        points = self.check(at, dealing)
        try:
            good = len(proof) == 64 and self.group.verify_possession(
                self.session, index(at), points[0], proof
            )
        except No:
            good = False
        if not good:
            raise No("CHEATED", at)
        return {"commitments": [data(one) for one in dealing[0]]}

    def share(self, told: Any) -> Any:
        dealing, _ = read(told["opening"], self.OPENING)
        share = self.take(told["from"], told["to"], dealing)
        return {"share": data(self.group.write(share))}

    def complaint(self, told: Any) -> Any:
        dealing, _ = read(told["opening"], self.OPENING)
        points, dealer = self.group.row(dealing[0]), number(read(told["complaint"], COMPLAINT)[1])

        def fits(at: int, content: bytes) -> None:
            self.fits(points, at, content)

        return {"guilty": self.boxes.guilty(told["complaint"], dealer, dealing[1], fits)}

    def root(self, told: Any) -> Any:
        openings = [read(one, self.OPENING) for one in told["openings"].values()]
        rows = [self.group.row(dealing[0]) for dealing, _ in openings]
        points = [self.group.total(column) for column in zip(*rows, strict=True)]
        if len(rows) < self.told["parameters"]["need"] or points[0] == self.group.identity:
            raise No("TOO_FEW")
        return self.rooted(points)


class Reshare(Sharing):
    """Reads `reshare.json`."""

    def replay(self) -> Any:
        dealings, group = {}, self.group
        for one in self.told["inputs"]["dealers"]:
            rng = SeededRng(raw(one["seed"]))
            rest = rng.scalars(group, "polynomial", self.degree)
            share = group.scalar(raw(one["secretShare"]))
            dealings[one["index"]] = self.deal(one["index"], [share, *rest], rng)
        factors = weights(group.order, dealings)
        secrets = {}
        for at in self.boxes.keys:
            total = sum(factors[by] * self.take(by, at, one) for by, one in dealings.items())
            secrets[str(at)] = data(group.write(total))
        messages = {"dealings": {str(at): wire(one) for at, one in dealings.items()}}
        return messages, {"root": self.root(messages), "secretShares": secrets}

    def dealing(self, told: Any) -> Any:
        dealing, at = read(told["dealing"], self.DEALING), told["from"]
        points = self.check(at, dealing)
        old = self.told["parameters"]["oldRoot"]["shares"]
        if at > len(old) or self.group.encode(points[0]) != raw(old[at - 1]):
            raise No("CHEATED", at)
        return {"commitments": [data(one) for one in dealing[0]]}

    def share(self, told: Any) -> Any:
        share = self.take(told["from"], told["to"], read(told["dealing"], self.DEALING))
        return {"share": data(self.group.write(share))}

    def root(self, told: Any) -> Any:
        dealings = {int(at): read(one, self.DEALING) for at, one in told["dealings"].items()}
        old = self.told["parameters"]["oldRoot"]
        if len(dealings) != old["degree"] + 1:
            raise No("TOO_FEW")
        factors = weights(self.group.order, dealings)
        rows = [
            [self.group.multiply(factors[at], point) for point in self.group.row(one[0])]
            for at, one in dealings.items()
        ]
        found = self.rooted([self.group.total(column) for column in zip(*rows, strict=True)])
        assert found["public"] == old["public"]
        return found
