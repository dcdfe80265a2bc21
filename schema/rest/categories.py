"""`/api/category`: categories of products."""

from typing import Annotated, Any, ClassVar

from hub.context import Level
from hub.models.products import Category
from hub.services import categories
from hub.services.categories import CategoryDraft
from hub.services.nomenclature import Targets
from schema.planner.fields import column, reads
from schema.planner.stored import Stored
from schema.rest.answers import listing
from schema.rest.filters import equal, one_of
from schema.rest.requests import Changes, PagedRequest, Patch, Request
from schema.rest.routes import RestCall, Route
from schema.rest.values import Flag, Listed, Long, LongText, Name, Reference, Text

COLUMNS = {"categoryName": "name", "categoryDetails": "details"}


@reads(Category)
class CategoryInfo:
    """A category of products."""

    categoryId: int = column(name="id")
    externalReference: str | None = column(name="external_reference")
    categoryName: str = column(name="name")
    categoryDetails: str | None = column(name="details")
    thirdPartyReference: str | None = column(name="third_party_reference")
    active: bool


CATEGORIES = Stored(CategoryInfo)


class CategoryTargets(Request):
    needs_one_of: ClassVar[tuple[str, ...]] = ("categoryIds", "externalReferences", "thirdPartyReferenceIds")
    categoryIds: Listed[Long] = []
    externalReferences: Listed[Reference] = []
    thirdPartyReferenceIds: Listed[Reference] = []

    @property
    def targets(self) -> Targets:
        return {
            "id": self.categoryIds,
            "external_reference": self.externalReferences,
            "third_party_reference": self.thirdPartyReferenceIds,
        }


class ReadCategoriesFilterRequest(PagedRequest):
    categoryIds: Listed[Long] = []
    externalReferences: Listed[Text] = []
    thirdPartyReferenceIds: Listed[Text] = []
    active: Flag | None = None


class AddCategoryApiRequest(Request):
    categoryName: Name
    categoryDetails: LongText | None = None
    externalReference: Reference | None = None
    thirdPartyReference: Reference | None = None
    active: Flag = True


class EditCategoryApiRequest(CategoryTargets):
    updateFields: Annotated[Patch, Changes(AddCategoryApiRequest)]


class DeleteCategoryApiRequest(CategoryTargets):
    pass


async def read(call: RestCall[ReadCategoriesFilterRequest]) -> bytes:
    wanted = call.body
    where = [
        *one_of(Category.id, wanted.categoryIds),
        *one_of(Category.external_reference, wanted.externalReferences),
        *one_of(Category.third_party_reference, wanted.thirdPartyReferenceIds),
        *equal(Category.active, wanted.active),
    ]
    return await CATEGORIES.page(call.database, call.scope, where=where, limit=wanted.rows, offset=wanted.offset)


async def add(call: RestCall[AddCategoryApiRequest]) -> bytes:
    draft = CategoryDraft(
        name=call.body.categoryName,
        details=call.body.categoryDetails,
        external_reference=call.body.externalReference,
        third_party_reference=call.body.thirdPartyReference,
        active=call.body.active,
    )
    ids = await call.database.write(call.scope, lambda work: categories.add(work, categories=[draft]))
    return await CATEGORIES.by_ids(call.database, call.scope, ids)


async def update(call: RestCall[EditCategoryApiRequest]) -> bytes:
    targets, changes = call.body.targets, call.body.updateFields.changes(COLUMNS)
    ids = await call.database.write(call.scope, lambda work: categories.update(work, targets=targets, changes=changes))
    return await CATEGORIES.by_ids(call.database, call.scope, ids)


async def delete(call: RestCall[DeleteCategoryApiRequest]) -> list[int]:
    targets = call.body.targets
    return await call.database.write(call.scope, lambda work: categories.delete(work, targets=targets))


ROUTES: tuple[Route[Any], ...] = (
    Route(
        "POST",
        "/api/category/read",
        "List categories",
        read,
        listing(CategoryInfo),
        body=ReadCategoriesFilterRequest,
        body_optional=True,
        replaced_by="categories",
    ),
    Route(
        "PUT",
        "/api/category/add",
        "Add a category",
        add,
        listing(CategoryInfo),
        level=Level.USER,
        body=AddCategoryApiRequest,
        replaced_by="categoryAdd",
    ),
    Route(
        "POST",
        "/api/category/update",
        "Update categories",
        update,
        listing(CategoryInfo),
        level=Level.USER,
        body=EditCategoryApiRequest,
        replaced_by="categoriesUpdate",
    ),
    Route(
        "DELETE",
        "/api/category/delete",
        "Delete categories",
        delete,
        listing(int),
        level=Level.USER,
        body=DeleteCategoryApiRequest,
        description="A category that a product uses cannot be deleted (409).",
        replaced_by="categoriesDelete",
    ),
)
