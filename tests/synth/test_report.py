"""Reports out of stored rows."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from samples import row, rows

from l1bn_synth import baseline, plots
from l1bn_synth import compare as compare_module
from l1bn_synth.compare import claims, cost, pairs, sensitivities
from l1bn_synth.peers import compare, page, peers
from l1bn_synth.registry import preset
from l1bn_synth.report import Report, write_report
from l1bn_synth.rows import FIELDS, row_from
from l1bn_synth.tables import costs_of_l1, paths, ratios, units
from l1bn_synth.tools import FlowError

TOOLS = {"yosys": "0.70", "nextpnr-ecp5": "0.11"}


@pytest.fixture
def report():
    return Report("ecp5", "python -m l1bn_synth run --target ecp5", TOOLS, rows(), {"x on HX8K": "too large"})


def test_json_has_the_fields_and_no_others(report, tmp_path):
    write_report(report, tmp_path)
    stored = json.loads((tmp_path / "report.json").read_text())
    assert [set(line) for line in stored] == [set(FIELDS)] * len(stored)
    assert stored[0]["fmax_mhz"] == {"median": 300.0, "min": 290.0, "max": 310.0, "seeds": 5}
    assert stored[0]["power_mw_at"] == {"mhz": 100.0, "mw": 10.0}


def test_details_give_the_rows_back(report, tmp_path):
    write_report(report, tmp_path)
    details = json.loads((tmp_path / "details.json").read_text())
    assert [row_from(line) for line in details["rows"]] == rows()
    assert details["failures"] == {"x on HX8K": "too large"}


def test_page_is_self_contained(report, tmp_path):
    write_report(report, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == 4
    for reference in ("<script", "<link", "src=", "@import"):
        assert reference not in page
    assert "x on HX8K: too large" in page
    assert "estimate" in page


def test_each_plot_says_which_side_is_better_by_metric():
    page = plots.ratio_bars(rows())
    assert "Below 1 the first is better in LUT, FF, DSP, BRAM, energy; above it in Fmax." in page
    assert {"fmax", "rate"} == compare_module.BETTER_UP
    (note, *_) = ratios(rows()).notes
    assert note.startswith("Fmax and samples per second: above 1 the first is better. Everything else: below 1.")


def test_markers_at_an_axis_are_whole():
    small = [row(lut=0, samples_per_second=0.0, fmax_mhz={"median": 0.0, "min": 0.0, "max": 0.0, "seeds": 5})]
    for plot in (plots.area_against_rate(small), plots.frequencies(small)):
        assert re.search(r"<g>\s*<use ", plot) and not re.search(r"<g clip-path=[^>]*>\s*<use ", plot)


@pytest.mark.parametrize(
    ("lut", "said"),
    [(1004, "LUT 0 %"), (996, "LUT 0 %"), (1000, "LUT 0 %"), (1010, "LUT -1 %"), (900, "LUT +10 %")],
)
def test_nothing_saved_has_no_sign(lut, said):
    both = [row(lut=lut), row(unit="forward L2, one pass", norm="l2", lut=1000)]
    ((_, saved),) = costs_of_l1(both).rows
    assert saved.split(", ")[0] == said
    assert "-0 %" not in saved and "+0 %" not in saved


def test_same_rows_give_the_same_files(report, tmp_path):
    for name in ("a", "b"):
        write_report(report, tmp_path / name)
    for name in ("report.json", "report.md", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_markdown_and_terminal_have_the_tables(report, capsys):
    text = report.markdown()
    report.print()
    printed = capsys.readouterr().out
    for title in (
        "Results",
        "The norms : L2",
        "Claims of the literature against this run",
        "Operators of other projects",
    ):
        assert f"## {title}\n" in text
        assert title in printed
    assert "Coefficients of the energy estimate" in text


def test_narrow_terminal_cuts_no_number(report, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "100")
    report.print()
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 100
    assert "…" not in text
    line = next(line for line in text.splitlines() if "1,000" in line)
    for number in ("LFE5U-85F-6", "900", "1,000"):
        assert f" {number} " in line
    for number in ("10.00 at 100", "100.0", "2,200"):
        assert f" {number} " in text


def test_worse_is_told_without_a_sign():
    (energy,) = [claim for claim in claims(rows()) if claim.claim == "37 % less energy"]
    assert "25 % more energy" in energy.measured


def test_ratios_are_l1_over_l2():
    whole, operators = sorted(pairs(rows()), key=lambda pair: not pair.whole)
    assert whole.ratio("lut") == 0.9
    assert whole.ratio("energy") == 1.25
    assert operators.ratio("fmax") == 2.0
    assert operators.ratio("bram") is None


def test_sensitivity_of_the_energy_ratio():
    (whole,) = [pair for pair in pairs(rows()) if pair.whole]
    moves = sensitivities(whole)
    assert moves["lut"] == (70 / 50, 160 / 140)
    assert next(iter(moves)) == "lut", "the one that moves it most comes first"


def test_verdicts():
    verdicts = {(claim.level, claim.claim): claim.verdict for claim in claims(rows())}
    assert verdicts["operators", "1.5 x the speed"] == "holds"
    assert verdicts["operators", "50 % less power"] == "holds"
    assert verdicts["whole unit", "37 % less energy"] == "does not hold: the opposite"
    assert verdicts["whole unit", "25 % faster"] == "does not hold: no difference"
    assert ("whole unit", "10 % fewer resources") not in verdicts, "that is said of the range"
    of_range = [row(unit="forward Range", norm="range"), rows()[1]]
    assert {claim.claim: claim.verdict for claim in claims(of_range)}["10 % fewer resources"] == "holds"
    slightly = [row(unit="forward Range", norm="range", lut=995), rows()[1]]
    verdicts = {claim.claim: claim.verdict for claim in claims([*slightly])}
    assert verdicts["10 % fewer resources"] == "does not hold: no difference"


def test_costs_of_l1_are_stated():
    (whole,) = [pair for pair in pairs(rows()) if pair.whole]
    assert "4 : 2 memory blocks" in cost(whole)
    assert "latency 2200 : 1300 cycles" in cost(whole)
    assert "L1 reads each sample three times" in cost(whole)


def test_backward_units_have_costs_and_savings_of_their_own():
    both = [row(unit="backward L1", bram=2), row(unit="backward L2", norm="l2", dsp=2, bram=4)]
    (pair,) = pairs(both)
    assert "pass" not in cost(pair)
    assert "L1 takes one more statistic" in cost(pair)
    assert {claim.source for claim in claims(both)} == {"Shao et al., TCAS-II 2025 (layer norm, training)"}
    assert "1 of 2 DSP, 2 of 4 BRAM" in costs_of_l1(both).rows[0][1]


def test_peers_are_compared_by_results_per_second():
    (comparison,) = compare([rows()[-1]])
    assert comparison.verdict == "smaller, slower"
    slow = row(unit="square root, iterative", width=32, lut=100, cycles_per_channel=34, group="operator")
    (comparison,) = compare([slow])
    assert comparison.verdict == "smaller, slower", "300 MHz in 34 cycles are slower than 198 MHz in 17"


def test_page_of_peers_says_where_we_lose():
    fast = row(unit="divider, iterative", width=16, lut=70, cycles_per_channel=17, group="operator")
    large = row(unit="divide by 49", width=16, lut=163, cycles_per_channel=1, group="operator")
    lines = page([fast, large], TOOLS).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:4]] == [
        "| division of 16 by 16 bits, iterative",
        "| division of 16 bits by 49",
    ]
    assert "1 of 2 rows: no larger, no slower." in lines[5]
    assert lines[5].endswith("ours of 5. Made by nextpnr-ecp5 0.11, yosys 0.70.")
    assert lines[6:] == ["- division of 16 bits by 49, LFE5U-85F-6: faster, larger."]


def test_every_peer_names_a_unit_of_its_preset():
    names = {(unit.name, unit.width) for unit in preset("peers")}
    assert names == {(peer["unit"], peer["width"]) for peer in peers()}


def test_standard_cells_are_compared_by_area_and_have_no_columns_of_blocks():
    blocks = {"device": "osu018", "dsp_allowed": False, "dsp": 0, "bram": 0, "sensitivity": {}}
    both = [
        row(**blocks, area_um2=750.0),
        row(**blocks, unit="forward Range", norm="range", area_um2=750.0),
        row(**blocks, unit="forward L2, one pass", norm="l2", area_um2=1000.0),
    ]
    results, compared = units(both), ratios(both)
    assert results.columns[3:6] == ["um2", "LUT", "FF"]
    assert all(len(line) == len(results.columns) for line in results.rows)
    assert compared.columns[1:4] == ["area", "LUT", "FF"]
    assert compared.rows[0][:2] == ["forward L1, two passes : forward L2, one pass, W = 16, osu018", "0.75"]
    (smaller,) = [claim for claim in claims(both) if claim.claim == "10 % fewer resources"]
    assert "25 % less area" in smaller.measured


def test_clock_of_whole_units_as_a_share_of_what_the_device_allows():
    (line,) = paths([row(fmax_mhz={"median": 304.2, "min": 1, "max": 2, "seeds": 5})]).rows
    assert "90% of 338" in line


def test_baseline_tells_what_moved(tmp_path):
    baseline.store("ecp5", TOOLS, rows(), tmp_path)
    stored = baseline.load("ecp5", TOOLS, tmp_path)
    assert baseline.compare(rows(), stored) == ([], [])
    fmax = {"median": 270.0, "min": 1, "max": 2, "seeds": 5}
    changed = [row(lut=910, fmax_mhz=fmax, latency=2201), row(width=8)]
    moved, unknown = baseline.compare(changed, stored)
    assert {(movement.metric, movement.worse) for movement in moved} == {("fmax", True), ("latency", True)}
    assert unknown == ["forward L1, two passes|LFE5U-85F-6|8|1|1024|dsp"]
    assert "fmax 300 -> 270 (-10.0 %, worse)" in str(moved[0])


def test_baseline_of_other_tools_is_none(tmp_path):
    baseline.store("ecp5", TOOLS, rows(), tmp_path)
    with pytest.raises(
        FlowError, match=r"no baseline of ecp5 for nextpnr-ecp5 9, yosys 0\.70; stored: nextpnr-ecp5 0\.11"
    ):
        baseline.load("ecp5", {**TOOLS, "nextpnr-ecp5": "9"}, tmp_path)


def test_rows_are_plain_data():
    for line in rows():
        assert row_from(json.loads(json.dumps(dataclasses.asdict(line)))) == line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read: "),
        ('{"yosys 0.70": ', "cannot be read: "),
        ("[]", "is damaged: "),
        ('{"nextpnr-ecp5 0.11, yosys 0.70": []}', "is damaged: "),
        ('{"nextpnr-ecp5 0.11, yosys 0.70": {"a": {"lut": 3}}}', "is damaged: "),
        ('{"nextpnr-ecp5 0.11, yosys 0.70": {"a": {"lut": "3"}}}', "is damaged: "),
        (None, "no baseline of ecp5 for nextpnr-ecp5 0.11, yosys 0.70; stored: none. Store one with"),
    ],
)
def test_a_missing_or_damaged_baseline_is_one_line(tmp_path, text, words):
    path = tmp_path / "ecp5.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FlowError, match=re.escape(words)) as caught:
        baseline.load("ecp5", TOOLS, tmp_path)
    assert "\n" not in str(caught.value)
    if text is not None:
        with pytest.raises(FlowError, match=re.escape(words)):
            baseline.store("ecp5", TOOLS, rows(), tmp_path)
        assert path.read_text() == text, "nothing is overwritten"
