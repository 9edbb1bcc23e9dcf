"""From labelled joints to a bundle."""

from reader_app.ai.training.machine import settle

settle()  # before torch is loaded

from reader_app.ai.training.recipe import Recipe, load_recipe, recipe_names  # noqa: E402
from reader_app.ai.training.run import train  # noqa: E402

__all__ = ["Recipe", "load_recipe", "recipe_names", "train"]
