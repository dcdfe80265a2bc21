"""The REST compatibility layer of the hub, contract by contract route.

A route is declared once, as data, beside its handler; the dispatcher (`app.py`), the OpenAPI document and the tests
read the same declaration::

    class AddUnitApiRequest(Request):                       # requests.py; types in values.py
        name: Name                                          # no default = required; null means absent
        code: Code
        details: LongText | None = None
        status: Flag = True
        thirdPartyReference: Reference | None = None

    class EditUnitApiRequest(Request):
        muIds: Listed[Long] = []
        updateFields: Annotated[Patch, Changes(AddUnitApiRequest)]   # .changes() → {"third_party_reference": None, …}

    class MeasurementUnitInfo:                              # what is answered: annotations only
        muId: int
        name: str

    async def add(call: RestCall[AddUnitApiRequest]) -> bytes:
        ids = await call.database.write(call.scope, lambda work: measurement_units.add(work, …))
        return await UNITS.by_ids(call.database, call.scope, ids)    # bytes = JSON text; else dicts, lists, Decimal …

    ROUTES = (
        Route("PUT", "/api/measurement-unit/add", "Add a measurement unit", add,
              body=AddUnitApiRequest, answer=listing(MeasurementUnitInfo), level=Level.USER),
    )

and `ROUTES` is added to `table.py`. Handlers raise `hub.errors`; the frame has checked credentials, level, permission,
size, type, JSON and fields by then, in the contract's order. Cross-field rules of one model are pydantic validators
that raise `refusal("…", field="productId")`. Path parameters: `/api/stock/remaining-stock/{productId:long}` →
`call.path["productId"]`; kinds `long`, `status`, `text`. Answers: `listing(Info)`, `one(Info)`, `bare(bool)`, `PDF`.
"""
