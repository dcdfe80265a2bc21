"""Companies (clients and suppliers): added, changed, deleted, blocked, alone and up to 250 at once."""

from decimal import Decimal

import strawberry
from strawberry import UNSET

from hub.services import companies
from hub.services.companies import CompanyDraft
from schema.answers import Deleted, Json, Record, answer, answer_by_row
from schema.companies import Company, CompanyBlock, CompanyType
from schema.inputs import about, inputs
from schema.mutations.rows import delete_rows, found_rows, known_rows
from schema.writing import USER, BulkChange, Call, Change, mutation

NOW = Record("Company", "The company as it is now.")
GONE = Deleted("Company", "The id of the company that is gone.")
COMPANY = answer("CompanyPayload", company=NOW)
COMPANY_DELETED = answer("CompanyDeletePayload", deleted_id=GONE)
COMPANIES = answer_by_row("CompaniesPayload", "CompaniesRow", company=NOW)
COMPANIES_DELETED = answer_by_row("CompaniesDeletePayload", "CompaniesDeleteRow", deleted_id=GONE)


@inputs(one_of=True, like=Company)
class CompanyKey:
    """Names one company by one of its keys."""

    id: strawberry.ID | None = about(default=UNSET, of="Company")
    external_reference: str | None = UNSET
    third_party_reference: str | None = UNSET


@inputs(like=Company)
class CompanyInput:
    """A company to be added."""

    name: str
    type: CompanyType = CompanyType.CLIENT
    external_reference: str | None = UNSET
    third_party_reference: str | None = UNSET
    cui: str | None = UNSET
    reg_no: str | None = UNSET
    bank: str | None = UNSET
    iban: str | None = UNSET
    address: str | None = UNSET
    phone: str | None = UNSET
    email: str | None = UNSET
    website: str | None = UNSET
    active: bool = True
    segment: str | None = UNSET
    credit_limit: Decimal | None = UNSET
    credit_used: Decimal | None = UNSET
    payment_days: int | None = UNSET
    send_to_external: bool = True


@inputs()
class CompanyAddInput(Change, CompanyInput):
    """A company to be added."""


@inputs(changes=CompanyInput)
class CompanyUpdateInput(Change):
    """New values of a company: what is absent stays, null clears."""

    company: CompanyKey = about("Which company.", called="companyId")


@inputs()
class CompanyDeleteInput(Change):
    """A company to be deleted."""

    company: CompanyKey = about("Which company.", called="companyId")


@inputs()
class CompaniesAddInput(BulkChange):
    """Companies to be added."""

    companies: list[CompanyInput] = about("1 to 250 companies.")


@inputs(changes=CompanyInput)
class CompanyChanges:
    """New values of one company: what is absent stays, null clears."""

    company: CompanyKey = about("Which company.", called="companyId")


@inputs()
class CompaniesUpdateInput(BulkChange):
    """Companies to be changed."""

    companies: list[CompanyChanges] = about("1 to 250 companies with their new values.")


@inputs()
class CompaniesDeleteInput(BulkChange):
    """Companies to be deleted."""

    companies: list[CompanyKey] = about("1 to 250 companies.")


@inputs(like=Company, changes=CompanyInput)
class CompanyUpsertRow:
    """A company, known by its external reference; a new one needs a name. What is absent stays, null clears."""

    external_reference: str


@inputs()
class CompaniesUpsertInput(BulkChange):
    """Companies to be added or changed."""

    companies: list[CompanyUpsertRow] = about("1 to 250 companies.")


@inputs(like=CompanyBlock)
class CompanyBlockInput(Change):
    """Why a company may not order for the time being."""

    company: CompanyKey = about("Which company.", called="companyId")
    type: str
    reason: str | None = UNSET


@inputs()
class CompanyUnblockInput(Change):
    """A company that may order again."""

    company: CompanyKey = about("Which company.", called="companyId")
    type: str | None = about("Only blocks of this kind; all when absent.", default=UNSET)


@mutation(COMPANY, needs=USER)
async def company_add(call: Call, input: CompanyAddInput) -> Json:
    """Adds a company."""
    [company_id] = await companies.add(call.work, companies=[CompanyDraft(**call.filled(input))])
    return {"company": company_id}


@mutation(COMPANY, needs=USER)
async def company_update(call: Call, input: CompanyUpdateInput) -> Json:
    """Changes a company; what is absent stays, null clears."""
    key, changes = call.targets(input.company, "company"), call.values(input, "company")
    [company_id] = await companies.update(call.work, targets=key, changes=changes)
    return {"company": company_id}


@mutation(COMPANY_DELETED, needs=USER)
async def company_delete(call: Call, input: CompanyDeleteInput) -> Json:
    """Deletes a company that stands in no document."""
    [company_id] = await companies.delete(call.work, targets=call.targets(input.company, "company"))
    return {"deleted_id": company_id}


@mutation(COMPANIES, needs=USER)
async def companies_add(call: Call, input: CompaniesAddInput) -> Json:
    """Adds up to 250 companies."""
    return await call.each(
        "companies",
        input.companies,
        lambda row: (None, call.filled(row)),
        lambda rows: companies.upsert(call.work, companies=rows),
    )


@mutation(COMPANIES, needs=USER)
async def companies_update(call: Call, input: CompaniesUpdateInput) -> Json:
    """Changes up to 250 companies; what is absent stays, null clears."""
    found = await found_rows(call, "companies", [row.company for row in input.companies], companies.ids_by)
    return await call.each(
        "companies",
        input.companies,
        lambda row: (found.id(row.company, "company"), call.values(row, "company")),
        lambda rows: companies.upsert(call.work, companies=rows),
    )


@mutation(COMPANIES_DELETED, needs=USER)
async def companies_delete(call: Call, input: CompaniesDeleteInput) -> Json:
    """Deletes up to 250 companies that stands in no document."""
    return await delete_rows(call, "companies", input.companies, companies.ids_by, companies.delete)


@mutation(COMPANIES, needs=USER)
async def companies_upsert(call: Call, input: CompaniesUpsertInput) -> Json:
    """Adds the companies whose external reference is new and changes the others."""
    known = await known_rows(call, "companies", input.companies, "external_reference", companies.ids_by)
    return await call.each(
        "companies",
        input.companies,
        lambda row: (known(row), call.values(row)),
        lambda rows: companies.upsert(call.work, companies=rows),
    )


@mutation(COMPANY, needs=USER)
async def company_block(call: Call, input: CompanyBlockInput) -> Json:
    """Notes that a company may not order; a standing block of the same kind is ended by the new one."""
    key, block = call.targets(input.company, "company"), call.filled(input, "company")
    [company_id] = await companies.block(call.work, targets=key, **block)
    return {"company": company_id}


@mutation(COMPANY, needs=USER)
async def company_unblock(call: Call, input: CompanyUnblockInput) -> Json:
    """Ends the standing blocks of a company, of one kind or all; they stay as history."""
    key, given = call.targets(input.company, "company"), call.filled(input, "company")
    [company_id] = await companies.unblock(call.work, targets=key, **given)
    return {"company": company_id}
