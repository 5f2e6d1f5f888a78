"""What a run of phase 1 is expected to ask for and cost, from its settings and what its folder holds."""

from collections.abc import Sequence

from selfinstruct.forecast import StageForecast, forecast, forecast_regeneration, forecast_text, over_budget
from selfinstruct.generation_config import GenerateConfig, name_of
from selfinstruct.prompts import Prompts
from selfinstruct.tasks import SeedTask

_OVERSHOOT = (
    "Stage 1 counts what may be on its way when it has enough (instructions.lookahead less one, at most): "
    "that is paid for and logged, and used when num_instructions is raised."
)


def forecast_of_run(config: GenerateConfig, seeds: list[SeedTask], prompts: Prompts) -> str:
    """What `dry_run=true` prints."""
    texts, asked = [], []
    if set(config.stages) - {"regeneration"}:
        forecasts = _generation(config, seeds, prompts)
        asked.append((forecasts, config.price))
        texts.append(forecast_text(forecasts, name_of(config.llm), config.price))
        if config.llm.backend == "openai":
            texts.append(_OVERSHOOT)
    if "regeneration" in config.stages:
        model = config.regeneration.model
        forecasts = [
            forecast_regeneration(
                config.run_dir,
                config.regeneration.instances,
                config.num_instructions,
                seeds,
                config.regeneration.query.max_tokens,
                model.endpoint == "chat",
            )
        ]
        asked.append((forecasts, config.price_of_regeneration))
        texts.append(forecast_text(forecasts, name_of(model), config.price_of_regeneration))
    return "\n\n".join([*texts, *over_budget(config.budget, config.run_dir, asked)])


def cost_of_stages(
    stages: Sequence[str], config: GenerateConfig, seeds: list[SeedTask], prompts: Prompts
) -> float:
    """What these stages will cost; 0 where the model has no price."""
    if config.price is None or not stages:
        return 0.0
    return sum(
        config.price.of(each.prompt_tokens, each.completion_tokens)
        for each in _generation(config, seeds, prompts)
        if each.stage in stages
    )


def _generation(config: GenerateConfig, seeds: list[SeedTask], prompts: Prompts) -> list[StageForecast]:
    chat = config.llm.endpoint == "chat"
    return forecast(
        config.run_dir,
        config.stages,
        config.num_instructions,
        config.instructions.shown,
        seeds,
        prompts,
        config.queries,
        chat,
        config.llm.context_length,
        overshoot=config.window - 1 if config.llm.backend == "openai" else 0,
    )
