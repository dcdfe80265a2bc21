"""The named types that request models are written in (lengths and ranges: one line each, from the contract)."""

from datetime import date
from decimal import Decimal
from typing import Annotated, TypeVar

from schema.rest.kinds import ChoiceKind, DayKind, DecimalKind, FlagKind, IntegerKind, ListKind, TextKind

T = TypeVar("T")
_LOW, _HIGH = -(1 << 63), (1 << 63) - 1
_LOW32, _HIGH32 = -(1 << 31), (1 << 31) - 1

Long = Annotated[int, IntegerKind(_LOW, _HIGH)]
"""An internal id: any 64-bit number may be asked for."""
Int = Annotated[int, IntegerKind(_LOW32, _HIGH32, 32)]
Count = Annotated[int, IntegerKind(0, _HIGH32, 32)]
"""Packages, envelopes."""
Copies = Annotated[int, IntegerKind(1, 100, 32)]
PageNumber = Annotated[int, IntegerKind(1, _HIGH32, 32)]
"""The page of a body: from 1."""
PageIndex = Annotated[int, IntegerKind(0, _HIGH32, 32)]
"""The page of a query string: from 0."""
PageSize = Annotated[int, IntegerKind(1, _HIGH32, 32)]
StatusCode = Annotated[int, IntegerKind(0, 8, 32)]
OrderType = Annotated[int, IntegerKind(1, 2, 32)]

Quantity = Annotated[Decimal, DecimalKind(above=Decimal(0))]
Counted = Annotated[Decimal, DecimalKind(low=Decimal(0))]
Amount = Annotated[Decimal, DecimalKind(low=Decimal(0))]
"""A price, weight or dimension."""
Percentage = Annotated[Decimal, DecimalKind(low=Decimal(0), high=Decimal(100))]

Flag = Annotated[bool, FlagKind()]
FlagOrBit = Annotated[bool, FlagKind(bits=True)]
Day = Annotated[date, DayKind()]
DottedDay = Annotated[date, DayKind(dotted=True)]
CompanyType = Annotated[str, ChoiceKind(("CLIENT", "SUPPLIER", "BOTH"))]
DocumentType = Annotated[str, ChoiceKind(("NOTICE", "AWB", "LABEL"))]

Name = Annotated[str, TextKind(255, blank=False)]
Title = Name
Reference = Annotated[str, TextKind(255, blank=False)]
"""externalReference, externalOrderId, externalLineId, thirdPartyReference."""
Code = Annotated[str, TextKind(128, blank=False)]
"""Product, location and unit codes, sku."""
ShortCode = Annotated[str, TextKind(64, blank=False)]
"""batchCode, sn, ssccCode."""
Attribute = Annotated[str, TextKind(128)]
"""material, color."""
ShortText = Annotated[str, TextKind(64)]
"""documentNumber, source, packagingType."""
Text = Annotated[str, TextKind(255)]
Address = Annotated[str, TextKind(1000)]
Link = Annotated[str, TextKind(2048)]
LongText = Annotated[str, TextKind(4000)]
"""comment, details."""
Message = Annotated[str, TextKind(4000, blank=False)]

Listed = Annotated[list[T], ListKind()]
"""A list of at most 5000 elements: `Listed[Long] = []`."""
