"""`/api/company`: clients and suppliers."""

from typing import Annotated, Any, ClassVar

from hub.context import Level
from hub.models.companies import Company
from hub.services import companies
from hub.services.companies import CompanyDraft
from hub.services.nomenclature import Targets
from schema.planner.fields import column, reads
from schema.planner.stored import Condition, Stored
from schema.rest.answers import bare, listing
from schema.rest.filters import equal, one_of
from schema.rest.requests import Changes, PagedRequest, Patch, Request, snake
from schema.rest.routes import RestCall, Route
from schema.rest.values import Address, CompanyType, Flag, Listed, Long, Name, Reference, Text


@reads(Company)
class CompanyInfo:
    """A client, a supplier or both."""

    companyId: int = column(name="id")
    externalReference: str | None = column(name="external_reference")
    name: str
    cui: str | None
    regNo: str | None = column(name="reg_no")
    bank: str | None
    iban: str | None
    address: str | None
    phone: str | None
    email: str | None
    website: str | None
    type: str
    active: bool
    thirdPartyReference: str | None = column(name="third_party_reference")


COMPANIES = Stored(CompanyInfo)


class CompanyTargets(Request):
    needs_one_of: ClassVar[tuple[str, ...]] = ("companyIds", "externalReferences", "thirdPartyReferenceIds")
    companyIds: Listed[Long] = []
    externalReferences: Listed[Reference] = []
    thirdPartyReferenceIds: Listed[Reference] = []

    @property
    def targets(self) -> Targets:
        return {
            "id": self.companyIds,
            "external_reference": self.externalReferences,
            "third_party_reference": self.thirdPartyReferenceIds,
        }


class ReadCompaniesFilterRequest(PagedRequest):
    companyIds: Listed[Long] = []
    externalReferences: Listed[Text] = []
    thirdPartyReferenceIds: Listed[Text] = []
    cuis: Listed[Text] = []
    type: CompanyType | None = None
    active: Flag | None = None


class AddCompanyApiRequest(Request):
    name: Name
    type: CompanyType = "CLIENT"
    active: Flag = True
    externalReference: Reference | None = None
    thirdPartyReference: Reference | None = None
    cui: Text | None = None
    regNo: Text | None = None
    bank: Text | None = None
    iban: Text | None = None
    address: Address | None = None
    phone: Text | None = None
    email: Text | None = None
    website: Text | None = None


class EditCompanyApiRequest(CompanyTargets):
    updateFields: Annotated[Patch, Changes(AddCompanyApiRequest)]


class DeleteCompanyApiRequest(CompanyTargets):
    pass


async def read(call: RestCall[ReadCompaniesFilterRequest]) -> bytes:
    wanted = call.body
    where = [
        *one_of(Company.id, wanted.companyIds),
        *one_of(Company.external_reference, wanted.externalReferences),
        *one_of(Company.third_party_reference, wanted.thirdPartyReferenceIds),
        *one_of(Company.cui, wanted.cuis),
        *_of_type(wanted.type),
        *equal(Company.active, wanted.active),
    ]
    return await COMPANIES.page(call.database, call.scope, where=where, limit=wanted.rows, offset=wanted.offset)


async def add(call: RestCall[AddCompanyApiRequest]) -> bytes:
    draft = CompanyDraft(**{snake(name): value for name, value in call.body})
    ids = await call.database.write(call.scope, lambda work: companies.add(work, companies=[draft]))
    return await COMPANIES.by_ids(call.database, call.scope, ids)


async def update(call: RestCall[EditCompanyApiRequest]) -> bytes:
    targets, changes = call.body.targets, call.body.updateFields.changes()
    ids = await call.database.write(call.scope, lambda work: companies.update(work, targets=targets, changes=changes))
    return await COMPANIES.by_ids(call.database, call.scope, ids)


async def delete(call: RestCall[DeleteCompanyApiRequest]) -> list[int]:
    targets = call.body.targets
    return await call.database.write(call.scope, lambda work: companies.delete(work, targets=targets))


async def check(call: RestCall[None]) -> bool:
    where = equal(Company.third_party_reference, call.path["thirdPartyReference"])
    return await COMPANIES.any(call.database, call.scope, where=where)


def _of_type(type: str | None) -> list[Condition]:
    """Clients and suppliers include those that are both."""
    return one_of(Company.type, {type, "BOTH"}) if type else []


ROUTES: tuple[Route[Any], ...] = (
    Route(
        "POST",
        "/api/company/read",
        "List companies (clients and suppliers)",
        read,
        listing(CompanyInfo),
        body=ReadCompaniesFilterRequest,
        body_optional=True,
        description="Filtering by `CLIENT` or `SUPPLIER` also returns `BOTH`.",
        replaced_by="companies",
    ),
    Route(
        "PUT",
        "/api/company/add",
        "Add a company",
        add,
        listing(CompanyInfo),
        level=Level.USER,
        body=AddCompanyApiRequest,
        replaced_by="companyAdd",
    ),
    Route(
        "POST",
        "/api/company/update",
        "Update companies",
        update,
        listing(CompanyInfo),
        level=Level.USER,
        body=EditCompanyApiRequest,
        replaced_by="companiesUpdate",
    ),
    Route(
        "DELETE",
        "/api/company/delete",
        "Delete companies",
        delete,
        listing(int),
        level=Level.USER,
        body=DeleteCompanyApiRequest,
        description="A company that stands in a document cannot be deleted (409).",
        replaced_by="companiesDelete",
    ),
    Route(
        "GET",
        "/api/company/third-party-reference/{thirdPartyReference:text}/check",
        "Check whether a company with this reference exists",
        check,
        bare(bool),
        description="An encoded slash (`%2F`) is part of the reference.",
        replaced_by="company",
    ),
)
