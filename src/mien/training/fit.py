"""Training through Lightning: from a recipe and labeled faces to a run folder with checkpoints."""

from __future__ import annotations

import logging
import os
import signal
from copy import deepcopy
from dataclasses import asdict, replace
from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EMAWeightAveraging,
    LearningRateMonitor,
    RichProgressBar,
)
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch import nn

from mien.errors import DataError, OptionError, TrainingError
from mien.evaluation.datasets import FaceSet
from mien.evaluation.face_set import FACE_SIDE
from mien.training.balance import class_weights
from mien.training.callbacks import EarlyStopping, EpochLines, History
from mien.training.checkpoints import ModelCheckpoint, WholeCheckpoints
from mien.training.datamodule import Faces, split_training
from mien.training.distillation import Teachers, load_teachers
from mien.training.environment import describe_environment
from mien.training.inventory import class_complaints
from mien.training.lightning_module import HEADS, FaceModule
from mien.training.recipe import Recipe
from mien.training.runs import DATA_FILE, RECIPE_FILE, RunData, load_weights, read_checkpoint, read_data, read_recipe
from mien.training.start import normalization_of, start_from
from mien.training.yaml_files import write_yaml

logger = logging.getLogger(__name__)

_ENVIRONMENT_FILE = "environment.yaml"
_WRITTEN_FIRST = (RECIPE_FILE, DATA_FILE, _ENVIRONMENT_FILE)


def fit(
    recipe: Recipe,
    faces: FaceSet,
    out: str | Path,
    *,
    resume: bool = False,
    progress: bool = True,
    devices: int | None = None,
    nodes: int = 1,
) -> Path:
    """Train a network and keep the best and the last checkpoint.

    Args:
        recipe: How to train.
        faces: All splits; learns from Training, chooses by PublicTest.
        out: Run folder to create: ``recipe.yaml``, ``data.yaml``, ``environment.yaml``, ``metrics.csv``,
            ``curves.png``, ``tensorboard/``, ``checkpoints/``. A run that ended before its first checkpoint starts
            afresh in its folder.
        resume: Go on from ``checkpoints/last.ckpt`` of the folder.
        progress: Show a progress bar rather than a log line per epoch.
        devices: Processes on this machine, one per GPU, or on the CPU where there is none. None takes all
            GPUs, or one process on the CPU, or what ``torchrun`` says.
        nodes: Machines.

    Returns:
        The run folder.

    Raises:
        OptionError: If the folder exists already (without ``resume``) or holds no run (with it).
        ModelError: If the folder is damaged (with ``resume``).
        DataError: If a split is missing or too small.
        TrainingError: If the loss is no longer a number, or the disk is full.
        KeyboardInterrupt: At Ctrl-C.
        SystemExit: At SIGTERM, with the code 143.
    """
    folder = Path(out)
    last = last_checkpoint(folder)
    _check_folder(folder, resume)
    resume = resume and last.exists()
    learn, _ = split_training(faces)
    train, validation = faces.select(learn), faces.of_usage("PublicTest")
    processes = _process_count(devices) * nodes
    if -(-len(train) // processes) < recipe.batch_size:
        share = f" for each of {processes} processes" if processes > 1 else ""
        raise DataError(
            f"{len(train)} faces to learn from are fewer than one batch of {recipe.batch_size}{share}; add faces, or "
            "train with a copy of the recipe that has a smaller batch_size"
        )
    teachers = load_teachers(recipe.distil)
    data = _describe_data(faces, train, validation, teachers)
    if resume:
        if recipe.start:
            # What the run started from may be gone.
            before = read_data(folder)
            data = replace(data, mean=before.mean, std=before.std)
        _check_same_run(folder, recipe, data)
    elif recipe.start:
        # Finished weights expect the pixels that they have learned from.
        mean, std = normalization_of(recipe.start)
        data = replace(data, mean=mean, std=std)
    pl.seed_everything(recipe.seed, verbose=False)
    weights = torch.from_numpy(class_weights(train.labels)) if recipe.imbalance == "class-weights" else None
    # A resumed run takes its weights from the checkpoint.
    pretrained = recipe.pretrained and not resume
    module = FaceModule(recipe, data.mean, data.std, len(data.heads), weights, pretrained, teachers)
    _check_batch_size(recipe, module.network)
    if resume:
        # Now, because what Lightning says of a damaged checkpoint is a traceback.
        load_weights(module, last, read_checkpoint(last))
    if recipe.start and not resume and start_from(module, recipe.start, train.pixels) != data.digest:
        # It may have learned what it is measured on from here.
        logger.warning(
            "%s was trained on other faces: any in the validation split make the figures too good",
            recipe.start,
        )
    module.network.to(memory_format=torch.channels_last)
    if is_first_process():
        for complaint in class_complaints(train) + _teacher_warnings(teachers, data.digest):
            logger.warning("%s", complaint)
        if not resume:
            environment = describe_environment()
            write_yaml(folder / RECIPE_FILE, recipe.to_dict())
            write_yaml(folder / DATA_FILE, asdict(data))
            write_yaml(folder / _ENVIRONMENT_FILE, environment)
    trainer = _trainer(recipe, folder, progress, devices, nodes)
    _train(trainer, module, Faces(train, validation, recipe), folder, resume)
    return folder


def _train(trainer: pl.Trainer, module: FaceModule, faces: Faces, folder: Path, resume: bool) -> None:
    last = last_checkpoint(folder)
    try:
        trainer.fit(module, faces, ckpt_path=last if resume else None, weights_only=True)
    except TrainingError as error:
        raise TrainingError(f"{error}; {_kept(last)}; try again with a lower optimizer.lr", folder) from None
    except OSError as error:
        advice = "make room and go on with --resume" if last.exists() else "make room and start again"
        raise TrainingError(f"cannot be written: {error.strerror}; {_kept(last)}; {advice}", folder) from error
    except SIGTERMException as stopped:
        stopped.code = 128 + signal.SIGTERM
        raise
    except SystemExit as stopped:
        # Lightning ends the program at Ctrl-C, which is up to the caller.
        if isinstance(stopped.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise


def last_checkpoint(folder: Path) -> Path:
    """What a run goes on from, if it has come so far."""
    return folder / "checkpoints" / "last.ckpt"


def _check_folder(folder: Path, resume: bool) -> None:
    if last_checkpoint(folder).exists():
        if is_first_process() and not resume:
            raise OptionError("exists already; choose another folder or go on with --resume", folder)
        return
    # A run that ended before its first checkpoint; a best.ckpt alone is all that somebody has kept of a run.
    begun = all((folder / name).is_file() for name in _WRITTEN_FIRST)
    if begun and not (folder / "checkpoints" / "best.ckpt").exists():
        return
    if resume:
        raise OptionError(f"nothing to resume, {last_checkpoint(folder)} does not exist", folder)
    if is_first_process() and folder.exists() and any(folder.iterdir()):
        raise OptionError("exists already; choose another folder", folder)


def where_it_stopped(folder: Path) -> str:
    """How far a run has come that was stopped, and how to go on."""
    last = last_checkpoint(folder)
    if not last.exists():
        return "stopped before the first checkpoint; the same command starts again"
    return f"stopped after epoch {read_checkpoint(last)['epoch'] + 1}; go on with --resume"


def _kept(last: Path) -> str:
    return f"the last good checkpoint is {last}" if last.exists() else "there is no checkpoint yet"


def is_first_process() -> bool:
    """Whether this process speaks for all: the only one of a run on one device, or the first of several."""
    return getattr(rank_zero_only, "rank", 0) == 0 and int(os.environ.get("NODE_RANK", "0")) == 0


def _describe_data(faces: FaceSet, train: FaceSet, validation: FaceSet, teachers: Teachers | None) -> RunData:
    scaled = train.pixels / 255
    return RunData(
        digest=faces.digest(),
        train=len(train),
        validation=len(validation),
        heads=HEADS[:1] if faces.votes is None else HEADS,
        mean=round(float(scaled.mean()), 4),
        std=round(float(scaled.std()), 4),
        teachers=tuple(member.weights for member in teachers.members) if teachers else (),
        votes=faces.votes_digest(),
    )


def _check_batch_size(recipe: Recipe, network: nn.Module) -> None:
    """Normalization after a dense layer has nothing to compare a single face with; PyTorch's word is a ValueError."""
    if recipe.batch_size > 1:
        return
    try:
        deepcopy(network).train()(torch.zeros(1, 1, FACE_SIDE, FACE_SIDE))
    except ValueError:
        raise OptionError(
            f"batch_size 1 is too small for the network {recipe.network!r}, which normalizes over the batch; "
            "use 2 or more"
        ) from None


def _teacher_warnings(teachers: Teachers | None, digest: str) -> list[str]:
    """One line for each teacher that may have learned what the student is measured on."""
    members = teachers.members if teachers else ()
    return [
        f"teacher {member.name} was trained on other faces: any in the validation split make the figures too good"
        for member in members
        if member.faces != digest
    ]


def _check_same_run(folder: Path, recipe: Recipe, data: RunData) -> None:
    """A run goes on with the recipe, data and teachers that it began with, or it would be another run."""
    now, before = recipe.to_dict(), read_recipe(folder).to_dict()
    for key, was in before.items():
        if now[key] != was:
            raise OptionError(
                f"began with another recipe ({key} {was}, now {now[key]}); resume with the same, or start a new run",
                folder,
            )
    given = asdict(data)
    for key, was in asdict(read_data(folder)).items():
        if given[key] != was and (was or key != "votes"):
            raise DataError(f"was trained on other data ({key} {was}, now {given[key]}); resume with the same", folder)


def _process_count(devices: int | None) -> int:
    """Processes on this machine: as asked for, as ``torchrun`` says, or one per GPU."""
    return devices or int(os.environ.get("LOCAL_WORLD_SIZE", "0")) or max(1, torch.cuda.device_count())


def _trainer(recipe: Recipe, folder: Path, progress: bool, devices: int | None, nodes: int) -> pl.Trainer:
    checkpoints = folder / "checkpoints"
    callbacks: list[Callback] = [
        History(folder),
        LearningRateMonitor("epoch"),
        RichProgressBar() if progress else EpochLines(),
        ModelCheckpoint(checkpoints, "best", "val_accuracy", mode="max", enable_version_counter=False),
        # Lightning's save_last saves only when the best one changes; a resume wants every epoch.
        ModelCheckpoint(checkpoints, "last", enable_version_counter=False),
    ]
    if recipe.patience:
        callbacks.append(EarlyStopping("val_loss", patience=recipe.patience))
    if recipe.target:
        callbacks.append(
            EarlyStopping("val_accuracy", mode="max", patience=recipe.epochs, stopping_threshold=recipe.target)
        )
    if recipe.ema:
        callbacks.append(EMAWeightAveraging(decay=recipe.ema))
    gpus, count = torch.cuda.device_count(), _process_count(devices)
    several = count * nodes > 1
    return pl.Trainer(
        max_epochs=recipe.epochs,
        precision=recipe.precision,
        devices=count,
        num_nodes=nodes,
        # While its backbone is frozen, most of a network takes no part in a step.
        strategy="ddp_find_unused_parameters_true" if several and recipe.freeze_epochs else "auto",
        # Normalization over the whole batch needs a GPU.
        sync_batchnorm=several and gpus > 0,
        use_distributed_sampler=False,
        logger=TensorBoardLogger(folder, name="", version="tensorboard"),
        callbacks=callbacks,
        plugins=[WholeCheckpoints()],
        enable_progress_bar=progress,
        enable_model_summary=False,
        # Faces all have one size, for which a GPU's fastest convolutions are worth looking for.
        benchmark=True,
        log_every_n_steps=10,
    )
