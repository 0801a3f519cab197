#!/usr/bin/env python3
"""Writes numbering.csv and recipients.csv from public numbering data. Its output is committed; nothing needs Python to run.

    python3 -m venv /tmp/world && /tmp/world/bin/pip install phonenumbers==9.0.43
    (cd /tmp/world && npm pack mcc-mnc-list@1.1.11 && tar xzf mcc-mnc-list-1.1.11.tgz)
    /tmp/world/bin/python deploy/examples/world/extract.py --networks /tmp/world/package/mcc-mnc-list.json

Both files come out the same on every run: all sampling is seeded. Takes a few minutes on one core.
"""

import argparse
import csv
import json
import random
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberType
from phonenumbers.carrierdata import CARRIER_DATA

HERE = Path(__file__).parent
MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
# Country of satellite and other world-wide numbers, which have none.
NO_COUNTRY = ""
# The MCC that E.212 sets apart for networks of no country.
WORLD_MCC = "901"
# Countries without a row of their own in the list; Ascension is served from Saint Helena.
MCC_OF = {NO_COUNTRY: WORLD_MCC, "IO": "995", "AC": "658"}
# Of numbers that share a prefix, so many are tried against the full rules of libphonenumber, and so many against its mobile pattern.
FULL_SAMPLES, PATTERN_SAMPLES = 60, 1000

# Words that tell nothing apart when a carrier is named in two lists.
NOISE = set(
    """ab as asa inc plc ltd limited llc llp lp sa sas sarl sau spa srl sro gmbh ag kg bv nv oy oyj aps doo dd ad jsc ojsc
    pjsc cjsc co corp corporation company pte pty pt tbk bhd sdn berhad de cv the group holding holdings telecom telecoms
    telecommunication telecommunications telekom telekomunikasi communication communications comunicaciones wireless
    mobile mobil movil moviles gsm cellular network networks services service international""".split()
)


def words(name):
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z0-9]+", re.sub(r"\(.*?\)|\.", "", plain.replace("&", " and ")))


def keys(name):
    """Spellings under which `name` may be found, the strictest first."""
    if not name:
        return []
    plain = words(name)
    core = [word for word in plain if word not in NOISE] or plain
    return list(dict.fromkeys(k for k in ("".join(plain), "".join(core)) if len(k) > 1))


def country_words(name):
    return {w for w in words(name) if len(w) > 3}


class Networks:
    """The MCC/MNC list, found by country and carrier name."""

    def __init__(self, path):
        self.by_name = defaultdict(dict)
        self.mccs = defaultdict(Counter)
        rank = {"Operational": 0, "Not operational": 2}
        rows = [
            row
            for row in json.loads(Path(path).read_text())
            if re.fullmatch(r"\d{3}", row["mcc"] or "") and re.fullmatch(r"\d{2,3}", row["mnc"] or "")
        ]
        rows.sort(key=lambda r: (rank.get(r["status"], 1), r["mcc"], len(r["mnc"]), r["mnc"]))
        for row in rows:
            for country in self.countries(row):
                if row["type"] == "National":
                    self.mccs[country][row["mcc"]] += 1
        # Brands before operators: a company may run a second brand under a lower code than its main one.
        for field in ("brand", "operator"):
            for row in rows:
                text = row[field] or ""
                # A code shared by many companies names none of them.
                if text.count(",") > 2:
                    continue
                for country in self.countries(row):
                    for name in [text, *re.split(r"[/,]| formerly |\(", text)]:
                        self.add(country, name, row)

    @staticmethod
    def countries(row):
        if row["type"] == "International":
            return [NO_COUNTRY]
        code = row["countryCode"] or ""
        return [part for part in code.split("/") if re.fullmatch(r"[A-Z]{2}", part)]

    def add(self, country, text, row):
        local = country_words(row["countryName"] or "")
        for key in keys(text):
            self.by_name[country].setdefault(key, (row["mcc"], row["mnc"]))
        # "Orange Botswana" is called "Orange" in the other list, and the other way round.
        short = " ".join(w for w in words(text or "") if w not in local)
        for key in keys(short):
            self.by_name[country].setdefault(key, (row["mcc"], row["mnc"]))

    def find(self, country, operator):
        for part in [operator, *re.split(r"[/,]", operator)]:
            for key in keys(part):
                if found := self.by_name[country].get(key):
                    return found
        return None

    def country_mcc(self, country):
        """The MCC of `country`, or the one with most networks where it has several."""
        if country in MCC_OF:
            return MCC_OF[country]
        counts = self.mccs.get(country)
        return min(counts, key=lambda mcc: (-counts[mcc], mcc)) if counts else None


def split_code(prefix):
    for length in (1, 2, 3):
        if int(prefix[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return int(prefix[:length]), prefix[length:]
    raise ValueError(prefix)


def regions_of(code):
    return phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]


def mobile_of(region, code):
    metadata = (
        PhoneMetadata.metadata_for_nongeo_region(code, None)
        if region == "001"
        else PhoneMetadata.metadata_for_region(region, None)
    )
    return metadata.mobile if metadata and metadata.mobile and metadata.mobile.national_number_pattern else None


def completed(rest, digits, rng):
    return rest + "".join(rng.choice("0123456789") for _ in range(digits - len(rest)))


def number(code, national):
    zeros = len(national) - len(national.lstrip("0"))
    return PhoneNumber(
        country_code=code,
        national_number=int(national),
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )


def region_of_prefix(prefix):
    """The country whose mobile numbers start with `prefix`: that of most of the valid numbers tried."""
    code, rest = split_code(prefix)
    if regions_of(code) == ("001",):
        return NO_COUNTRY
    if len(regions_of(code)) == 1:
        return regions_of(code)[0]
    rng = random.Random(prefix)
    votes = Counter()
    for region in regions_of(code):
        mobile = mobile_of(region, code)
        for digits in mobile.possible_length if mobile else ():
            for _ in range(20 if digits > len(rest) else 0):
                found = phonenumbers.region_code_for_number(number(code, completed(rest, digits, rng)))
                votes[found] += 1
    votes.pop(None, None)
    return min(votes, key=lambda r: (-votes[r], r)) if votes else regions_of(code)[0]


def numbering(networks):
    rows = []
    for prefix in sorted(CARRIER_DATA):
        names = CARRIER_DATA[prefix]
        operator = names.get("en") or names[min(names)]
        country = region_of_prefix(prefix)
        found = networks.find(country, operator)
        mcc, mnc = found or (networks.country_mcc(country), "")
        if mcc is None:
            print(f"{prefix}: country {country} has no MCC in the list", file=sys.stderr)
        rows.append({"prefix": prefix, "mcc": mcc, "mnc": mnc, "country": country, "operator": operator})
    return rows


class Plan:
    def __init__(self, rows):
        self.country = {row["prefix"]: row["country"] for row in rows}
        self.longest = max(map(len, self.country))

    def country_of(self, digits):
        for length in range(min(self.longest, len(digits)), 0, -1):
            if digits[:length] in self.country:
                return self.country[digits[:length]]
        return None


def always_valid(prefix, region, digits, plan):
    """Whether every number of `digits` national digits under `prefix` tried is a valid mobile number of `region` and of the plan."""
    code, rest = split_code(prefix)
    pattern = re.compile(mobile_of(region, code).national_number_pattern)
    rng = random.Random(f"{prefix}/{digits}")
    tail = digits - len(rest)
    for i in range(PATTERN_SAMPLES):
        # The first three digits after the prefix take every value once, the others are drawn.
        head = f"{i:03}"[: min(3, tail)]
        national = completed(rest + head, digits, rng)
        if not pattern.fullmatch(national) or plan.country_of(f"{code}{national}") != region:
            return False
    for _ in range(FULL_SAMPLES):
        drawn = number(code, completed(rest, digits, rng))
        if (
            not phonenumbers.is_valid_number_for_region(drawn, region)
            or phonenumbers.number_type(drawn) not in MOBILE
            or phonenumbers.region_code_for_number(drawn) != region
        ):
            return False
    return True


def valid_ranges(prefix, region, digits, plan, depth):
    """The ranges under `prefix` whose numbers are all valid, written with up to `depth` digits more than the plan has."""
    code, rest = split_code(prefix)
    # Two free digits at least, so that a range stands for more than ten numbers.
    if digits < len(rest) + 2:
        return []
    if always_valid(prefix, region, digits, plan):
        return [prefix]
    if depth == 0:
        return []
    return [found for d in "0123456789" for found in valid_ranges(prefix + d, region, digits, plan, depth - 1)]


def recipients_of(country, prefixes, plan, depth):
    lengths = defaultdict(list)
    for prefix in prefixes:
        code, _ = split_code(prefix)
        mobile = mobile_of(country, code)
        for digits in sorted(mobile.possible_length) if mobile else ():
            lengths[len(str(code)) + digits] += valid_ranges(prefix, country, digits, plan, depth)
    return {digits: sorted(set(found)) for digits, found in lengths.items() if found}


def recipients(rows):
    plan, lines, dropped = Plan(rows), [], []
    subscriptions = dict(read_subscriptions())
    by_country = defaultdict(list)
    for row in rows:
        by_country[row["country"]].append(row["prefix"])
    for country in sorted(by_country):
        if country not in subscriptions:
            dropped.append(country)
            continue
        # A few plans name ranges wider than those in use; only for them is the search worth its time and rows.
        lengths = recipients_of(country, by_country[country], plan, 0) or recipients_of(country, by_country[country], plan, 3)
        if not lengths:
            dropped.append(country)
            continue
        for digits in sorted(lengths):
            lines.append(
                {
                    "country": country,
                    "millions": subscriptions[country],
                    "digits": digits,
                    "prefixes": " ".join(lengths[digits]),
                }
            )
    return lines, dropped


def read_subscriptions():
    with open(HERE / "subscriptions.csv", newline="") as file:
        for row in csv.DictReader(file):
            yield row["country"], row["millions"]


def write(name, rows):
    with open(HERE / name, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{name}: {len(rows)} rows, {(HERE / name).stat().st_size} octets")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--networks", required=True, help="mcc-mnc-list.json of the npm package mcc-mnc-list")
    arguments.add_argument("--only-numbering", action="store_true", help="skip recipients.csv, which takes minutes")
    options = arguments.parse_args()
    rows = numbering(Networks(options.networks))
    write("numbering.csv", rows)
    resolved = sum(1 for row in rows if row["mnc"])
    networks = {(row["mcc"], row["mnc"]) for row in rows if row["mnc"]}
    print(f"resolved to a network: {resolved} of {len(rows)} = {resolved / len(rows):.1%}, {len(networks)} networks,")
    print(f"  {len({row['country'] for row in rows})} countries, {len({row['mcc'] for row in rows})} MCCs")
    if options.only_numbering:
        return
    lines, dropped = recipients(rows)
    write("recipients.csv", lines)
    prefixes = sum(len(line["prefixes"].split()) for line in lines)
    print(f"recipients: {len({line['country'] for line in lines})} countries, {prefixes} prefixes; left out: {dropped}")


if __name__ == "__main__":
    main()
