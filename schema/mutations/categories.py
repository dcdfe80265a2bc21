"""Categories of products: added, changed, deleted, alone and up to 250 at once."""

import strawberry
from strawberry import UNSET

from hub.services import categories
from hub.services.categories import CategoryDraft
from schema.answers import Deleted, Json, Record, answer, answer_by_row
from schema.inputs import about, inputs
from schema.mutations.rows import delete_rows, found_rows
from schema.products import Category
from schema.writing import USER, BulkChange, Call, Change, mutation

NOW = Record("Category", "The category as it is now.")
GONE = Deleted("Category", "The id of the category that is gone.")
CATEGORY = answer("CategoryPayload", category=NOW)
CATEGORY_DELETED = answer("CategoryDeletePayload", deleted_id=GONE)
CATEGORIES = answer_by_row("CategoriesPayload", "CategoriesRow", category=NOW)
CATEGORIES_DELETED = answer_by_row("CategoriesDeletePayload", "CategoriesDeleteRow", deleted_id=GONE)


@inputs(one_of=True, like=Category)
class CategoryKey:
    """Names one category by one of its keys."""

    id: strawberry.ID | None = about(default=UNSET, of="Category")
    external_reference: str | None = UNSET
    third_party_reference: str | None = UNSET


@inputs(like=Category)
class CategoryInput:
    """A category to be added."""

    name: str
    details: str | None = UNSET
    external_reference: str | None = UNSET
    third_party_reference: str | None = UNSET
    active: bool = True


@inputs()
class CategoryAddInput(Change, CategoryInput):
    """A category to be added."""


@inputs(changes=CategoryInput)
class CategoryUpdateInput(Change):
    """New values of a category: what is absent stays, null clears."""

    category: CategoryKey = about("Which category.", called="categoryId")


@inputs()
class CategoryDeleteInput(Change):
    """A category to be deleted."""

    category: CategoryKey = about("Which category.", called="categoryId")


@inputs()
class CategoriesAddInput(BulkChange):
    """Categories to be added."""

    categories: list[CategoryInput] = about("1 to 250 categories.")


@inputs(changes=CategoryInput)
class CategoryChanges:
    """New values of one category: what is absent stays, null clears."""

    category: CategoryKey = about("Which category.", called="categoryId")


@inputs()
class CategoriesUpdateInput(BulkChange):
    """Categories to be changed."""

    categories: list[CategoryChanges] = about("1 to 250 categories with their new values.")


@inputs()
class CategoriesDeleteInput(BulkChange):
    """Categories to be deleted."""

    categories: list[CategoryKey] = about("1 to 250 categories.")


@mutation(CATEGORY, needs=USER)
async def category_add(call: Call, input: CategoryAddInput) -> Json:
    """Adds a category."""
    [category_id] = await categories.add(call.work, categories=[CategoryDraft(**call.filled(input))])
    return {"category": category_id}


@mutation(CATEGORY, needs=USER)
async def category_update(call: Call, input: CategoryUpdateInput) -> Json:
    """Changes a category; what is absent stays, null clears."""
    key, changes = call.targets(input.category, "category"), call.values(input, "category")
    [category_id] = await categories.update(call.work, targets=key, changes=changes)
    return {"category": category_id}


@mutation(CATEGORY_DELETED, needs=USER)
async def category_delete(call: Call, input: CategoryDeleteInput) -> Json:
    """Deletes a category that no product uses."""
    [category_id] = await categories.delete(call.work, targets=call.targets(input.category, "category"))
    return {"deleted_id": category_id}


@mutation(CATEGORIES, needs=USER)
async def categories_add(call: Call, input: CategoriesAddInput) -> Json:
    """Adds up to 250 categories."""
    return await call.each(
        "categories",
        input.categories,
        lambda row: (None, call.filled(row)),
        lambda rows: categories.upsert(call.work, categories=rows),
    )


@mutation(CATEGORIES, needs=USER)
async def categories_update(call: Call, input: CategoriesUpdateInput) -> Json:
    """Changes up to 250 categories; what is absent stays, null clears."""
    found = await found_rows(call, "categories", [row.category for row in input.categories], categories.ids_by)
    return await call.each(
        "categories",
        input.categories,
        lambda row: (found.id(row.category, "category"), call.values(row, "category")),
        lambda rows: categories.upsert(call.work, categories=rows),
    )


@mutation(CATEGORIES_DELETED, needs=USER)
async def categories_delete(call: Call, input: CategoriesDeleteInput) -> Json:
    """Deletes up to 250 categories that no product uses."""
    return await delete_rows(call, "categories", input.categories, categories.ids_by, categories.delete)
