# Every target creates .venv on first use and needs no root. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help

.NOTPARALLEL:

BUILD := build
VENV := .venv
PY := $(VENV)/bin/python

# Variables count when they are given to make: NAME or TARGET in the environment mean something else.
given = $(if $(filter command override,$(origin $(1))),$($(1)))
quoted = '$(subst ','\'',$(1))'
# $(call option,--name,VARIABLE): the option with its value when the variable is given, else nothing.
option = $(if $(call given,$(2)),$(1) $(call quoted,$(call given,$(2))))
flag = $(if $(filter-out 0 no,$(call given,$(2))),$(1))

##@ Use

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## "; print "usage: make TARGET [VARIABLE=value ...]" } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 } \
	  /^#v / { printf "  %-12s   %s\n", "", substr($$0, 4) }' $(firstword $(MAKEFILE_LIST))

.PHONY: sim
takes_sim := NORM FORM DIRECTION STORAGE WIDTH LANES COUNT SEED WAVES
sim: toolchain install-sim ## Co-simulate generated L1 and L2 hardware against NumPy on real data
#v NORM=l1|l2|range|rms|mean-absolute FORM=one-pass|two-pass DIRECTION=forward|backward STORAGE=inside|outside
#v WIDTH=4..32 LANES=1|2|4|8|16|32|64 COUNT=samples[,samples...] SEED=number WAVES=1 (writes an FST)
	@$(PY) -m l1bn_sim run $(call option,--norm,NORM) $(call option,--form,FORM) \
	  $(call option,--direction,DIRECTION) $(call option,--width,WIDTH) $(call option,--lanes,LANES) \
	  $(call option,--count,COUNT) $(call option,--storage,STORAGE) $(call option,--seed,SEED) \
	  $(call flag,--waves,WAVES)

.PHONY: generate
takes_generate := NORM FORM DIRECTION STORAGE WIDTH LANES COUNT CONFIG NAME OUT FORCE
generate: install-sim ## Write the Verilog and the manifest of one unit into OUT
#v NORM FORM DIRECTION STORAGE WIDTH LANES COUNT as above, CONFIG=file.toml NAME=module
#v OUT=folder (build/generate) FORCE=1 (overwrite); `.venv/bin/l1bn generate --help` lists all parameters
	@$(PY) -m l1bn generate $(call option,--config,CONFIG) $(call option,--norm,NORM) \
	  $(call option,--form,FORM) $(call option,--direction,DIRECTION) $(call option,--storage,STORAGE) \
	  $(call option,--width,WIDTH) $(call option,--lanes,LANES) $(call option,--count,COUNT) \
	  $(call option,--name,NAME) $(call flag,--force,FORCE) --output $(call quoted,$(or $(call given,OUT),$(BUILD)/generate))

.PHONY: export
takes_export := NORM FORM DIRECTION STORAGE WIDTH LANES COUNT PRESET CONFIG NAME CHANNELS OUT FORCE
export: install-export ## Write a unit as an IP package: Verilog, AXI top, test benches, registers, data sheet
#v NORM FORM DIRECTION STORAGE WIDTH LANES COUNT as above, PRESET=name CONFIG=file.toml NAME=module
#v CHANNELS=entries of the tables, OUT=folder (build/export) FORCE=1 (replace an earlier export)
	@$(PY) -m l1bn export $(call option,--config,CONFIG) $(call option,--preset,PRESET) $(call option,--norm,NORM) \
	  $(call option,--form,FORM) $(call option,--direction,DIRECTION) $(call option,--storage,STORAGE) \
	  $(call option,--width,WIDTH) $(call option,--lanes,LANES) $(call option,--count,COUNT) \
	  $(call option,--name,NAME) $(call option,--channels,CHANNELS) $(call flag,--force,FORCE) \
	  --output $(call quoted,$(or $(call given,OUT),$(BUILD)/export))

.PHONY: plan
takes_plan := MODEL INPUT BATCH NORM DIRECTION WIDTH LANES CALIBRATION NAME OUT FORCE
plan: install-plan ## Propose one unit for all normalisation layers of a network, and write its configuration into OUT
#v MODEL=file.onnx or module:factory (PyTorch, after `make train`) INPUT=N,C,H,W BATCH=number
#v NORM DIRECTION WIDTH LANES as above, CALIBRATION=inputs.npz NAME=module OUT=folder (none) FORCE=1 (overwrite)
	@$(PY) -m l1bn plan $(call option,--input,INPUT) $(call option,--batch,BATCH) $(call option,--norm,NORM) \
	  $(call option,--direction,DIRECTION) $(call option,--width,WIDTH) $(call option,--lanes,LANES) \
	  $(call option,--calibration,CALIBRATION) $(call option,--name,NAME) $(call option,--output,OUT) \
	  $(call flag,--force,FORCE) $(if $(call given,MODEL),$(call quoted,$(call given,MODEL)))

.PHONY: synth
takes_synth := TARGET PRESET WIDTH DSP SEEDS JOBS LIMIT SCHEDULER
synth: toolchain install-synth ## Synthesise, place and route, and compare L1 with L2
#v TARGET=ice40|ecp5|osu018 PRESET=quick|paper|lanes|full WIDTH=8|12|16|24|32 (else all that the preset has)
#v DSP=0|1 (without multiplier blocks or with, else both)
#v SEEDS=number JOBS=processes LIMIT=minutes a program may take, SCHEDULER=address (Dask)
	@$(PY) -m l1bn_synth run $(synth_options)

.PHONY: synth-check
takes_synth-check := $(takes_synth) STORE
synth-check: toolchain install-synth ## Compare such a run with the stored baseline
#v the variables of synth, STORE=1 (keep this run as the baseline)
	@$(PY) -m l1bn_synth check $(synth_options) $(call flag,--store,STORE)

.PHONY: peers
takes_peers := SEEDS JOBS LIMIT SCHEDULER
peers: toolchain install-synth ## Compare the operators with those of other projects, on ECP5 and iCE40
#v SEEDS=number JOBS=processes LIMIT=minutes a program may take, SCHEDULER=address (Dask)
	@$(PY) -m l1bn_synth peers $(call option,--seeds,SEEDS) $(call option,--jobs,JOBS) \
	  $(call option,--limit,LIMIT) $(call option,--scheduler,SCHEDULER)

synth_options = $(call option,--target,TARGET) $(call option,--preset,PRESET) $(call option,--width,WIDTH) $(call option,--seeds,SEEDS) \
  $(if $(call given,DSP),$(or $(call flag,--dsp,DSP),--no-dsp)) $(call option,--jobs,JOBS) $(call option,--limit,LIMIT) \
  $(call option,--scheduler,SCHEDULER)

.PHONY: presets
takes_presets := PRESET SEEDS JOBS CHECK
presets: toolchain install-synth ## Measure what each preset of `l1bn presets` takes on its device
#v PRESET=name (only this one) SEEDS=number JOBS=processes, CHECK=1 (only name those that have changed since)
	@$(PY) -m l1bn_synth.presets $(call option,--seeds,SEEDS) $(call option,--jobs,JOBS) \
	  $(call flag,--check,CHECK) $(if $(call given,PRESET),$(call quoted,$(call given,PRESET)))

.PHONY: accelerator
accelerator: toolchain install-synth ## Simulate the example accelerator of hw/accelerator on handwritten digits
	@$(PY) -m l1bn_sim.accelerator

.PHONY: accelerator-synth
takes_accelerator-synth := SEEDS JOBS
accelerator-synth: install-synth ## Synthesise it for an ECP5-25k: resources, clock, the normaliser's share
#v SEEDS=number JOBS=processes
	@$(PY) -m l1bn_synth.accelerator $(call option,--seeds,SEEDS) $(call option,--jobs,JOBS)

.PHONY: train
takes_train := PRESET JOBS OUT
train: install-train ## Train small networks with no norm, L2BN and L1BN, in float32 and in integers
#v PRESET=quick|full JOBS=processes OUT=folder (build/training); finished runs are not repeated
	@$(PY) -m l1bn_golden.training $(call option,--preset,PRESET) $(call option,--jobs,JOBS) \
	  $(call option,--output,OUT)

##@ Look inside

.PHONY: waves
takes_waves := NORM FORM STORAGE WIDTH LANES COUNT
waves: install-sim ## Draw two channels on their way through a small unit, and write them as VCD
#v NORM FORM STORAGE WIDTH LANES as above, COUNT=samples (up to 64)
	@$(PY) -m l1bn_sim.waves $(call option,--norm,NORM) $(call option,--form,FORM) \
	  $(call option,--storage,STORAGE) $(call option,--width,WIDTH) $(call option,--lanes,LANES) \
	  $(call option,--count,COUNT)

.PHONY: schematic
takes_schematic := OPERATOR WIDTH
schematic: install-synth ## Draw the schematic of an operator (needs npx or netlistsvg)
#v OPERATOR=name (without it, list the names) WIDTH=bits
	@$(PY) -m l1bn_synth.schematic $(call option,--width,WIDTH) $(if $(call given,OPERATOR),$(call quoted,$(call given,OPERATOR)))

.PHONY: loop
takes_loop := TASK NORM WIDTH LANES SEED EPOCHS IMAGES PAUSES
loop: toolchain install-sim install-train ## Train a network with the Verilated hardware, every output compared
#v TASK=mlp|cnn NORM WIDTH LANES SEED as above, EPOCHS=number IMAGES=number PAUSES=0..0.9 (idle and stalled cycles)
	@$(PY) -m l1bn_sim.loop_training $(call option,--task,TASK) $(call option,--norm,NORM) \
	  $(call option,--width,WIDTH) $(call option,--lanes,LANES) $(call option,--epochs,EPOCHS) \
	  $(call option,--images,IMAGES) $(call option,--pauses,PAUSES) $(call option,--seed,SEED)

##@ Check

.PHONY: test
takes_test := TESTS PYTEST
test: toolchain install-dev ## Run the test suite on two cores
#v TESTS=paths or node ids, PYTEST=further options
	@$(PY) -m pytest --numprocesses 2 $(call given,PYTEST) $(call given,TESTS)

.PHONY: test-slow
takes_test-slow := TESTS PYTEST
test-slow: toolchain install-dev ## Run the tests that are too long for every run (hours)
#v TESTS and PYTEST as above, as PYTEST="-k matrix"
	@$(PY) -m pytest --numprocesses 2 -m slow $(call given,PYTEST) $(call given,TESTS)

.PHONY: formal
takes_formal := PYTEST
formal: install-dev ## Prove streams, guards and operators with a solver, the long proofs included
	@$(PY) -m pytest --numprocesses 2 -m formal tests/formal $(call given,PYTEST)

.PHONY: same
takes_same := STORE
same: install-dev ## Compare the Verilog of all presets and 216 drawn units with the kept hashes (five minutes)
#v STORE=1 (keeps the hashes as they are now)
	@$(PY) tests/gateware/generator/kept_verilog.py $(call flag,--store,STORE)

.PHONY: lint
lint: install-dev ## Check style (ruff) and types (mypy)
	@$(PY) -m ruff check
	@$(PY) -m mypy

.PHONY: docs-check
takes_docs-check := PYTEST
docs-check: toolchain install-dev ## Run every command of README and docs in a fresh copy, the long ones too (an hour)
	@$(PY) -m pytest -m docs tests/docs $(call given,PYTEST)

.PHONY: accuracy
accuracy: install-sim ## Measure the error of the integer model against exact rationals
	@$(PY) -m l1bn_golden.accuracy

.PHONY: benchmark
benchmark: toolchain install-sim ## Measure the speed of the golden model and of the Verilated hardware
	@$(PY) -m l1bn_golden.benchmark
	@$(PY) -m l1bn_sim.hardware_benchmark

##@ Housekeeping

.PHONY: setup
setup: toolchain install-dev ## Create .venv with everything, to work on l1bn itself
#v PYTHON=interpreter to create it with (3.11 or newer)

.PHONY: clean
clean: ## Remove build/, .venv and the caches of the tools
	@rm -rf $(BUILD) $(VENV) .mypy_cache .pytest_cache .ruff_cache

# -- environment --------------------------------------------------------------------------------

# What Verilator calls to build a simulation. CXX is its name for the compiler as well.
.PHONY: toolchain
toolchain:
	@names=; packages=; compiler=($${CXX:-g++}); \
	if ! command -v "$${compiler[0]}" >/dev/null; then names+=" the C++ compiler $${compiler[0]},"; packages+=" g++"; fi; \
	if ! command -v perl >/dev/null; then names+=" perl,"; packages+=" perl"; fi; \
	if ! command -v make >/dev/null; then names+=" make,"; packages+=" make"; fi; \
	if [ -n "$$names" ]; then echo >&2 "l1bn: missing:$${names%,}; install: apt-get install$$packages"; exit 2; fi

extras := sim synth export plan train dev
.PHONY: $(addprefix install-,$(extras))
$(addprefix install-,$(extras)): install-%:
	@scripts/install $* $(if $(call given,PYTHON),$(call quoted,$(PYTHON)))

# -- variables ----------------------------------------------------------------------------------

variables := $(sort $(foreach list,$(filter takes_%,$(.VARIABLES)),$($(list))))
# These are no business of what is called: of Verilator, which builds with make as well, least of all.
unexport MAKEFLAGS MAKEOVERRIDES PYTHONHOME PYTHONPATH $(variables)

# What is given must be something that the target takes.
goals := $(or $(MAKECMDGOALS),help)
taken := PYTHON CXX $(foreach goal,$(goals),$(takes_$(goal)))
stray := $(firstword $(filter-out $(taken),$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))))
ifneq ($(stray),)
nearest := $(shell python3 -c 'import difflib, sys; print(*difflib.get_close_matches(sys.argv[1].upper(), sys.argv[2:], 1))' \
  $(call quoted,$(stray)) $(or $(filter $(stray),$(variables)),$(taken)) 2>/dev/null)
$(error make $(goals) does not take $(stray)$(if $(filter-out $(stray),$(nearest)), (did you mean $(nearest)?)); it takes: $(taken))
endif
